#include "heiaheia/admin_api.hpp"

#include "heiaheia/token_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace heiasync::heiaheia {

namespace asio = boost::asio;

namespace {

constexpr int status_ok = 200;
constexpr int status_bad_request = 400;
constexpr int status_unauthorized = 401;
constexpr int status_forbidden = 403;
constexpr int status_bad_gateway = 502;
constexpr int status_unavailable = 503;
constexpr int status_gateway_timeout = 504;

/// Far beyond any real listing: ends one whose server invents new items for ever.
constexpr int max_pages = 10'000;
constexpr std::size_t max_organisations = 1'000'000;

/// A token lives for two weeks.
constexpr std::chrono::hours oldest_token = std::chrono::days{13};

std::string business_id_query(const std::string& business_id, char separator) {
    return business_id.empty() ? std::string{}
                               : fmt::format("{}business_id={}", separator, http::encode_component(business_id));
}

bool rejects_credentials(unsigned status) {
    return status == status_bad_request || status == status_unauthorized || status == status_forbidden;
}

bool says_not_there(unsigned status) {
    return status == status_bad_gateway || status == status_unavailable || status == status_gateway_timeout;
}

/// An answer that is too large, or a redirect that leads nowhere, is still one of a server that is there.
Availability::Outcome outcome_of(const http::TransportError& error) {
    using Kind = http::TransportError::Kind;
    return error.kind() == Kind::too_large || error.kind() == Kind::redirect ? Availability::Outcome::refusal
                                                                             : Availability::Outcome::unreachable;
}

Availability::Outcome outcome_of(const http::Response& response) {
    if (says_not_there(response.status)) {
        return Availability::Outcome::unreachable;
    }
    return response.status == status_ok ? Availability::Outcome::success : Availability::Outcome::refusal;
}

std::string code_of(const http::Response& response) {
    return documents::decode_failure(response.failure_body).code;
}

std::string describe(Operation operation, const http::Response& response) {
    std::string text = fmt::format("{}: {}", route(operation), response.status);
    if (const std::string code = code_of(response); !code.empty()) {
        text += fmt::format(" {}", code);
    }
    if (response.attempts > 1) {
        text += fmt::format(" after {} attempts", response.attempts);
    }
    if (response.deferred) {
        text += ", and Retry-After asks for more patience than api.retry.max_delay";
    }
    return text;
}

}  // namespace

std::string_view route(Operation operation) {
    switch (operation) {
        case Operation::access_token:
            return "POST /oauth/token";
        case Operation::organisations:
            return "GET /admin/v1/documents/organisations";
        case Operation::usage_stats:
            return "GET /admin/v1/documents/organisations/{id}/stats";
        case Operation::energy_levels:
            return "GET /admin/v1/documents/organisations/{id}/energy_levels";
        case Operation::reports:
            return "GET /admin/v1/documents/organisations/{id}/reports";
        case Operation::report_data:
            return "GET /reports/v1/documents/reports/{id}/full_data";
    }
    return "";
}

ApiError::ApiError(Operation operation, const http::Response& response)
    : std::runtime_error{describe(operation, response)},
      operation_{operation},
      status_{static_cast<int>(response.status)},
      code_{code_of(response)} {}

ApiUnavailable::ApiUnavailable()
    : std::runtime_error{fmt::format("api_unavailable: {} calls in a row found no server", Availability::last_straw)} {}

AdminApi::AdminApi(http::Client& client, core::Clock& clock, AdminApiSettings settings)
    : client_{client}, clock_{clock}, settings_{std::move(settings)} {
    while (settings_.base_url.ends_with('/')) {
        settings_.base_url.pop_back();
    }
    origin_ = http::parse_url(settings_.base_url).origin;
}

http::Request AdminApi::request(Operation operation, const std::string& path) const {
    http::Request request{std::string{route(operation)}, http::parse_url(settings_.base_url + path)};
    if (settings_.send_simulated_time) {
        request.headers.emplace_back("X-Simulated-Time", core::format_instant(clock_.now()));
    }
    return request;
}

asio::awaitable<http::Response> AdminApi::send(const http::Request& request, core::ByteSink& body) {
    if (availability_.given_up()) {
        throw ApiUnavailable{};
    }
    const core::Instant sent_at = clock_.now();
    std::optional<http::Response> response;
    try {
        response = co_await client_.send(request, body, availability_.attempts());
    } catch (const http::TransportError& error) {
        availability_.note(outcome_of(error));
        throw;
    }
    const bool was_sent = response->attempts > 0;
    if (was_sent) {
        check_clock(*response, sent_at);
        availability_.note(outcome_of(*response));
    }
    co_return std::move(*response);
}

/// What the server's clock said lies between sending and receiving, give or take what is tolerated.
void AdminApi::check_clock(const http::Response& response, core::Instant sent_at) const {
    const auto date = response.server_date();
    if (!date) {
        return;
    }
    const core::Instant now = clock_.now();
    if (*date < sent_at - tolerated_clock_skew || *date > now + tolerated_clock_skew) {
        throw ClockSkew{fmt::format("clock_skew: the server's clock says {}, ours {}", core::format_instant(*date),
                                    core::format_instant(now))};
    }
}

std::chrono::milliseconds AdminApi::held_for() const {
    return client_.held_for(origin_);
}

asio::awaitable<void> AdminApi::wait_out_hold() {
    return client_.wait_out_hold(origin_);
}

asio::awaitable<void> AdminApi::authenticate() {
    const bool may_keep = token_.has_value() && clock_.now() - token_created_at_ < oldest_token;
    kept_token_ = std::nullopt;
    try {
        co_await get_token();
    } catch (const ApiError& error) {
        const bool secrets_are_wrong = error.status() == status_bad_request || error.status() == status_unauthorized;
        if (!may_keep || secrets_are_wrong) {
            throw;
        }
        kept_token_ = error.what();
    } catch (const http::TransportError& error) {
        if (!may_keep) {
            throw;
        }
        kept_token_ = error.what();
    }
}

asio::awaitable<void> AdminApi::get_token() {
    http::Request token_request = request(Operation::access_token, "/oauth/token");
    token_request.method = "POST";
    token_request.body = token_request_body(settings_);

    core::StringSink body;
    const http::Response response = co_await send(token_request, body);
    if (response.status != status_ok) {
        if (rejects_credentials(response.status)) {
            throw CredentialsRejected{Operation::access_token, response};
        }
        throw ApiError{Operation::access_token, response};
    }

    core::StringSource source{body.text()};
    const documents::AccessToken token = documents::decode_access_token(source);
    token_ = token.token;
    token_created_at_ = token.created_at.value_or(clock_.now());
    const bool wider = token.scope.has_value() && *token.scope != "read_only_admin_api";
    wider_scope_ = wider ? token.scope : std::nullopt;
}

asio::awaitable<void> AdminApi::get(Operation operation, std::string path, core::ByteSink& body) {
    const bool with_token = operation != Operation::report_data;
    if (with_token && !token_) {
        co_await authenticate();
    }
    http::Request call = request(operation, path);
    if (with_token) {
        call.bearer = token_;
    }
    http::Response response = co_await send(call, body);
    if (response.status == status_unauthorized && with_token) {
        token_.reset();
        co_await authenticate();
        call.bearer = token_;
        response = co_await send(call, body);
        // Of an organisation's calls only that one is refused; the listing is everyone's.
        if (response.status == status_unauthorized && operation == Operation::organisations) {
            throw CredentialsRejected{operation, response};
        }
    }
    if (response.status != status_ok) {
        throw ApiError{operation, response};
    }
}

asio::awaitable<Answer<OrganisationListing>> AdminApi::list_organisations() {
    const std::string path =
        fmt::format("/admin/v1/documents/organisations?per_page={}&size_classes={}&page=", settings_.per_page,
                    fmt::join(settings_.size_classes, ","));
    Answer<OrganisationListing> answer;
    OrganisationListing& listing = answer.value;
    std::unordered_set<std::int64_t> seen;
    const auto broken = [&listing](const std::string& why, std::optional<int> status) {
        listing.complete = false;
        listing.error = why;
        listing.http_status = status;
    };

    for (int page_number = 1; page_number <= max_pages; ++page_number) {
        bool brought_new = false;
        try {
            core::StringSink body;
            co_await get(Operation::organisations, path + std::to_string(page_number), body);
            core::StringSource source{body.text()};
            documents::Page<documents::Organisation> page = documents::decode_organisations(source);
            for (documents::Organisation& organisation : page.items) {
                if (seen.insert(organisation.id).second) {
                    listing.organisations.push_back(std::move(organisation));
                    brought_new = true;
                }
            }
            listing.drift.insert(listing.drift.end(), page.drift.begin(), page.drift.end());
            if (!page.rejected.empty()) {
                broken(page.rejected.front().what(), status_ok);
                brought_new = brought_new || page.rejected.size() == page.raw_count;
            }
        } catch (const CredentialsRejected&) {
            throw;
        } catch (const ApiError& error) {
            broken(error.what(), error.status());
        } catch (const http::TransportError& error) {
            broken(error.what(), std::nullopt);
        } catch (const documents::DecodeError& error) {
            broken(error.what(), status_ok);
        }
        if (!brought_new) {
            break;
        }
        listing.pages = page_number;
        if (listing.organisations.size() > max_organisations) {
            broken(fmt::format("{}: more than {} organisations", route(Operation::organisations), max_organisations),
                   status_ok);
            break;
        }
        if (page_number == max_pages) {
            broken(fmt::format("{}: no end after {} pages", route(Operation::organisations), max_pages), std::nullopt);
        }
    }
    answer.received_at = clock_.now();
    co_return answer;
}

asio::awaitable<Answer<documents::DecodedUsageStats>> AdminApi::usage_stats(std::int64_t organisation_id,
                                                                            std::string business_id) {
    std::string path = fmt::format("/admin/v1/documents/organisations/{}/stats{}", organisation_id,
                                   business_id_query(business_id, '?'));
    core::StringSink body;
    co_await get(Operation::usage_stats, std::move(path), body);
    core::StringSource source{body.text()};
    Answer<documents::DecodedUsageStats> answer;
    answer.received_at = clock_.now();
    answer.value = documents::decode_usage_stats(source);
    co_return answer;
}

asio::awaitable<Answer<documents::Original>> AdminApi::energy_levels(std::int64_t organisation_id,
                                                                     std::string business_id, core::Date start,
                                                                     core::Date end) {
    std::string path =
        fmt::format("/admin/v1/documents/organisations/{}/energy_levels?start_date={}&end_date={}{}", organisation_id,
                    core::format_date(start), core::format_date(end), business_id_query(business_id, '&'));
    documents::OriginalWriter body;
    co_await get(Operation::energy_levels, std::move(path), body);
    Answer<documents::Original> answer;
    answer.received_at = clock_.now();
    answer.value = body.finish();
    co_return answer;
}

asio::awaitable<Answer<ReportListing>> AdminApi::list_reports(std::int64_t organisation_id) {
    const std::string path =
        fmt::format("/admin/v1/documents/organisations/{}/reports?viewed=true&per_page={}&page=", organisation_id,
                    settings_.per_page);
    Answer<ReportListing> answer;
    ReportListing& listing = answer.value;
    std::unordered_set<std::int64_t> seen;
    for (int page_number = 1; page_number <= max_pages; ++page_number) {
        core::StringSink body;
        co_await get(Operation::reports, path + std::to_string(page_number), body);
        core::StringSource source{body.text()};
        documents::Page<documents::Report> page = documents::decode_reports(source);
        bool brought_new = !page.rejected.empty() && page.rejected.size() == page.raw_count;
        for (documents::Report& report : page.items) {
            if (seen.insert(report.id).second) {
                listing.reports.push_back(std::move(report));
                brought_new = true;
            }
        }
        listing.rejected.insert(listing.rejected.end(), page.rejected.begin(), page.rejected.end());
        listing.drift.insert(listing.drift.end(), page.drift.begin(), page.drift.end());
        if (!brought_new) {
            answer.received_at = clock_.now();
            co_return answer;
        }
    }
    throw documents::DecodeError{"reports", "/items", fmt::format("no end after {} pages", max_pages)};
}

asio::awaitable<Answer<documents::Original>> AdminApi::report_data(core::Secret data_instance_id) {
    std::string path =
        fmt::format("/reports/v1/documents/reports/{}/full_data", http::encode_component(data_instance_id.reveal()));
    documents::OriginalWriter body;
    co_await get(Operation::report_data, std::move(path), body);
    Answer<documents::Original> answer;
    answer.received_at = clock_.now();
    answer.value = body.finish();
    co_return answer;
}

}  // namespace heiasync::heiaheia
