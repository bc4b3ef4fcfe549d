#include "simulator/protocol.hpp"

#include "simulator/dice.hpp"
#include "simulator/encoding.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <string_view>

namespace heiasync::simulator {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view moved_prefix = "/simulator/moved";
constexpr std::int64_t gate = 5;  // the guide: no point in fetching energy levels of fewer accepted members
constexpr std::size_t vendor_page_maximum = 500;

Answer refusal(unsigned status, std::string_view code, std::string_view description) {
    Answer answer;
    answer.status = status;
    answer.body = error_document(code, description);
    return answer;
}

/// `{target}` in the location stands for the request's own target.
Answer redirect(unsigned status, std::string location, std::string_view target) {
    constexpr std::string_view mark = "{target}";
    if (const auto position = location.find(mark); position != std::string::npos) {
        location.replace(position, mark.size(), target);
    }
    Answer answer;
    answer.status = status;
    answer.headers.emplace_back("Location", std::move(location));
    return answer;
}

Answer invalid_param(std::string_view description) {
    return refusal(400, "invalid_param", description);
}

Answer json(std::string body) {
    Answer answer;
    answer.body = std::move(body);
    return answer;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

std::optional<core::Date> parse_date(const std::string& text) {
    try {
        return core::parse_date(text);
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts;
    while (true) {
        const auto comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

/// A request, taken apart.
struct Protocol::Call {
    const HttpRequest& http;
    std::string target;  ///< as it came
    std::string path;    ///< decoded, without the prefix of what was moved
    bool moved = false;  ///< it had that prefix
    std::vector<std::pair<std::string, std::string>> query;
    std::optional<std::string> header_token;
    core::Instant at;
    Operation operation = Operation::unknown;
    std::optional<std::int64_t> organisation;
    std::optional<Report> report;
    std::optional<Fault> fault;

    explicit Call(const HttpRequest& request) : http{request}, target{request.target()} {
        const auto url = boost::urls::parse_origin_form(request.target());
        if (!url) {
            return;
        }
        path = std::string{url->path()};
        moved = path.starts_with(moved_prefix);
        if (moved) {
            path.erase(0, moved_prefix.size());
        }
        for (const auto& parameter : url->params()) {
            query.emplace_back(parameter.key, parameter.value);
        }
        constexpr std::string_view scheme = "Bearer ";
        const std::string_view authorization = request[http::field::authorization];
        if (authorization.starts_with(scheme)) {
            header_token = authorization.substr(scheme.size());
        } else if (!authorization.empty()) {
            header_token.emplace();
        }
        find_operation();
    }

    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
        const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
        return found == query.end() ? std::nullopt : std::optional{found->second};
    }

    /// The values of a list, in either form; nothing where it is given in a form that the server does not honour.
    [[nodiscard]] std::vector<std::string> list(std::string_view name, ListForm form) const {
        std::vector<std::string> values;
        std::size_t occurrences = 0;
        bool commas = false;
        for (const auto& [key, value] : query) {
            if (key == name || key == fmt::format("{}[]", name)) {
                ++occurrences;
                commas = commas || value.find(',') != std::string::npos;
                std::ranges::move(split_at_commas(value), std::back_inserter(values));
            }
        }
        const bool ignored = (form == ListForm::comma && occurrences > 1) || (form == ListForm::repeated && commas);
        return ignored ? std::vector<std::string>{} : values;
    }

    [[nodiscard]] std::string business_id() const { return parameter("business_id").value_or(std::string{}); }
    [[nodiscard]] std::optional<std::string> query_token() const { return parameter("access_token"); }

    /// The id of full_data's path.
    [[nodiscard]] std::string_view data_instance_id() const {
        return std::string_view{path}.substr(report_head.size(), path.size() - report_head.size() - report_tail.size());
    }

private:
    static constexpr std::string_view organisations_path = "/admin/v1/documents/organisations";
    static constexpr std::string_view report_head = "/reports/v1/documents/reports/";
    static constexpr std::string_view report_tail = "/full_data";

    void find_operation() {
        const std::string_view view{path};
        if (view == "/oauth/token") {
            operation = Operation::token;
        } else if (view == organisations_path) {
            operation = Operation::organisations;
        } else if (view.starts_with(report_head) && view.ends_with(report_tail) &&
                   view.size() > report_head.size() + report_tail.size()) {
            operation = Operation::full_data;
        } else if (view.starts_with(organisations_path) && view[organisations_path.size()] == '/') {
            const auto rest = view.substr(organisations_path.size() + 1);
            const auto slash = rest.find('/');
            organisation = parse_number<std::int64_t>(rest.substr(0, slash));
            const auto found = slash == std::string_view::npos ? std::nullopt : parse_operation(rest.substr(slash + 1));
            const bool per_organisation =
                found == Operation::stats || found == Operation::energy_levels || found == Operation::reports;
            operation = organisation && per_organisation ? *found : Operation::unknown;
        }
    }
};

Protocol::Protocol(const Options& options, World& world, FaultPlan& faults, Observations& observations)
    : options_{options}, world_{world}, faults_{faults}, observations_{observations} {}

void Protocol::expire_tokens() {
    const std::scoped_lock lock{mutex_};
    tokens_.clear();
}

Answer Protocol::answer(const HttpRequest& request, std::size_t in_flight) {
    Call call{request};
    call.at = options_.now     ? *options_.now
              : options_.clock ? options_.clock()
                               : date::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    bool time_is_readable = true;
    if (const auto simulated = request.find("X-Simulated-Time"); simulated != request.end()) {
        try {
            call.at = core::parse_instant(simulated->value());
        } catch (const std::invalid_argument&) {
            time_is_readable = false;
        }
    }
    if (call.operation == Operation::full_data) {
        call.report = world_.report(call.data_instance_id(), call.at);
        if (call.report) {
            call.organisation = call.report->organisation_id;
        }
    }

    if (options_.on_request) {
        options_.on_request(call.at);
    }
    look_for_violations(call);
    if (in_flight > 1) {
        violation(Violation::Kind::concurrent_requests, call, fmt::format("{} requests at once", in_flight));
    }
    call.fault = faults_.take({call.operation, call.organisation, call.business_id(),
                               call.parameter("page").value_or(""), call.at, call.moved});

    auto answer = time_is_readable ? dispatch(call) : invalid_param("X-Simulated-Time is no ISO 8601 time");
    answer.at = call.at;
    answer.fault = call.fault;

    Request seen;
    seen.operation = call.operation;
    seen.method = request.method_string();
    seen.path = call.path;
    seen.organisation = call.organisation;
    seen.business_id = call.business_id();
    for (const auto& [key, value] : call.query) {
        if (key != "access_token") {
            seen.query.insert_or_assign(key, value);
        }
    }
    if (call.report) {
        seen.report = call.report->id;
        seen.generation = call.report->generation;
    }
    seen.token_in_header = call.header_token.has_value();
    seen.token_in_query = call.query_token().has_value();
    seen.at = call.at;
    seen.in_flight = in_flight;
    seen.status = answer.status;
    seen.faulty = call.fault.has_value();
    observations_.record(std::move(seen));
    return answer;
}

void Protocol::violation(Violation::Kind kind, const Call& call, std::string detail) {
    auto text = std::string{to_string(call.operation)};
    if (call.organisation) {
        text += fmt::format(" of organisation {}", *call.organisation);
    }
    if (const auto business_id = call.business_id(); !business_id.empty()) {
        text += fmt::format(", business id {}", business_id);
    }
    if (call.report) {
        text += fmt::format(", report {}, generation {}", call.report->id, call.report->generation);
    }
    if (!detail.empty()) {
        text += ": " + detail;
    }
    observations_.record(Violation{kind, fmt::format("{} (at {})", text, core::format_instant(call.at))});
}

void Protocol::look_for_violations(const Call& call) {
    const bool is_get = call.http.method() == http::verb::get;
    if (call.operation != Operation::token && !is_get) {
        violation(Violation::Kind::write, call, std::string{call.http.method_string()});
    }
    const auto today = vendor_date(call.at);
    switch (call.operation) {
        case Operation::token:
            if (call.parameter("client_secret") || call.parameter("magic_token")) {
                violation(Violation::Kind::secret_in_query, call);
            }
            break;
        case Operation::energy_levels: {
            const auto business_id = call.business_id();
            for (const auto& id : business_id.empty() ? std::vector<std::string>{{}} : std::vector{{}, business_id}) {
                const auto stats = world_.stats(*call.organisation, id, call.at);
                const auto accepted = stats ? stats->hh_core_accepted_membership_count : std::nullopt;
                if (accepted.value_or(0) < gate) {
                    violation(Violation::Kind::energy_levels_below_gate, call,
                              accepted ? fmt::format("{} accepted members", *accepted) : "unknown number of members");
                    break;
                }
            }
            const auto end = parse_date(call.parameter("end_date").value_or(std::string{}));
            if (end && *end >= today) {
                violation(Violation::Kind::energy_levels_of_open_period, call, core::format_date(*end));
            }
            break;
        }
        case Operation::reports:
            if (call.parameter("viewed") != "true") {
                violation(Violation::Kind::reports_not_restricted_to_viewed, call);
            }
            break;
        case Operation::full_data:
            if (call.header_token || call.query_token()) {
                violation(Violation::Kind::token_on_full_data, call);
            }
            if (call.report && observations_.was_downloaded(call.report->id, call.report->generation, today)) {
                violation(Violation::Kind::report_downloaded_twice, call);
            }
            break;
        case Operation::unknown:
            violation(Violation::Kind::unknown_path, call);
            break;
        case Operation::organisations:
        case Operation::stats:
            break;
    }
}

Answer Protocol::dispatch(const Call& call) {
    using Kind = Fault::Kind;
    if (call.fault) {
        const auto& fault = *call.fault;
        switch (fault.kind) {
            case Kind::status: {
                const auto status = fault.status == 0 ? 500 : fault.status;
                auto answer = refusal(status, "unknown_error", "as the test wanted it");
                if (fault.body) {
                    answer.body = *fault.body;
                }
                if (fault.retry_after) {
                    answer.headers.emplace_back("Retry-After", *fault.retry_after);
                } else if (fault.retry_after_date) {
                    answer.headers.emplace_back("Retry-After",
                                                http_date(call.at + options_.date_skew + *fault.retry_after_date));
                }
                return answer;
            }
            case Kind::html: {
                Answer answer;
                answer.content_type = "text/html; charset=utf-8";
                answer.body = "<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>";
                return answer;
            }
            case Kind::empty:
                return {};
            case Kind::redirect:
                return redirect(fault.status == 0 ? 302 : fault.status, fault.location, call.target);
            case Kind::expired_token:
                expire_tokens();
                return refusal(401, "unknown_error", "The access token expired");
            default:
                break;
        }
    }
    if (call.operation != Operation::token && call.operation != Operation::full_data) {
        if (auto refused = refuse(call)) {
            return *std::move(refused);
        }
    }
    if (call.operation != Operation::token && call.http.method() != http::verb::get) {
        return refusal(403, "no_org_access", "A read-only token may only read");
    }
    switch (call.operation) {
        case Operation::token:
            return give_token(call);
        case Operation::organisations:
            return list_organisations(call);
        case Operation::full_data:
            return full_data(call);
        case Operation::unknown:
            return refusal(404, "not_found", "There is nothing at this path");
        default:
            break;
    }
    if (!world_.organisation(*call.organisation, call.at)) {
        return refusal(403, "no_org_access", "No access to this organisation");
    }
    return call.operation == Operation::stats           ? stats(call)
           : call.operation == Operation::energy_levels ? energy_levels(call)
                                                        : list_reports(call);
}

std::optional<Answer> Protocol::refuse(const Call& call) {
    const auto& place = options_.token_place;
    const auto text = place != TokenPlace::query && call.header_token ? call.header_token
                      : place != TokenPlace::header                   ? call.query_token()
                                                                      : std::nullopt;
    const std::scoped_lock lock{mutex_};
    const auto token = text ? tokens_.find(*text) : tokens_.end();
    if (token == tokens_.end()) {
        return refusal(401, "unknown_error", "Missing authorization information");
    }
    const bool used_up = options_.token_requests && token->second.requests >= *options_.token_requests;
    if (used_up || call.at - token->second.created_at > options_.token_lifetime) {
        tokens_.erase(token);
        return refusal(401, "unknown_error", "The access token expired");
    }
    ++token->second.requests;
    return std::nullopt;
}

Answer Protocol::give_token(const Call& call) {
    if (call.http.method() != http::verb::post) {
        return refusal(404, "not_found", "There is nothing at this path");
    }
    rapidjson::Document body;
    if (!call.http.body().empty()) {
        body.Parse<rapidjson::kParseIterativeFlag>(call.http.body().data(), call.http.body().size());
        if (body.HasParseError() || !body.IsObject()) {
            return invalid_param("The body is no JSON object");
        }
    }
    const auto given = [&](const char* name) -> std::optional<std::string> {
        if (body.IsObject() && body.HasMember(name)) {
            const auto& value = body[name];
            return value.IsString()
                       ? std::optional<std::string>{std::in_place, value.GetString(), value.GetStringLength()}
                       : std::nullopt;
        }
        return call.parameter(name);
    };
    for (const auto* name : {"grant_type", "email", "magic_token", "client_id", "client_secret"}) {
        if (!given(name)) {
            return refusal(400, "missing_param", name);
        }
    }
    if (given("grant_type") != "magic_token") {
        return invalid_param("grant_type");
    }
    const auto& wanted = options_.credentials;
    if (given("email") != wanted.email || given("magic_token") != wanted.magic_token ||
        given("client_id") != wanted.client_id || given("client_secret") != wanted.client_secret) {
        return refusal(403, "unknown_error", "Invalid authentication details");
    }
    const std::scoped_lock lock{mutex_};
    const auto number = ++tokens_given_;
    auto text = fmt::format("{:016X}{:016X}", roll(options_.seed, Topic::texts, number, 0),
                            roll(options_.seed, Topic::texts, number, 1));
    auto answer = json(token_document(text, options_.scope, call.at));
    tokens_.emplace(std::move(text), Token{call.at, 0});
    return answer;
}

template <class Item, class Write>
Answer Protocol::page(const Call& call, const std::vector<Item>& items, Write write) const {
    const auto number = parse_number<std::int32_t>(call.parameter("page").value_or("1"));
    const auto wanted = parse_number<std::int32_t>(call.parameter("per_page").value_or("20"));
    const auto total_required = call.parameter("total_required").value_or("false");
    if (!number || *number < 1) {
        return invalid_param("page");
    }
    if (!wanted || *wanted < 1) {
        return invalid_param("per_page");
    }
    if (total_required != "true" && total_required != "false") {
        return invalid_param("total_required");
    }
    const auto size = std::min({static_cast<std::size_t>(*wanted), options_.page_cap, vendor_page_maximum});
    auto offset = static_cast<std::int64_t>(*number - 1) * static_cast<std::int64_t>(size);
    if (call.fault && call.fault->kind == Fault::Kind::shift_items && *number > 1) {
        offset = std::max<std::int64_t>(0, offset - call.fault->shift);
    }
    const auto first = std::min(static_cast<std::size_t>(offset), items.size());
    const auto shown = std::span{items}.subspan(first, std::min(size, items.size() - first));
    const auto total = total_required == "true" ? std::optional{items.size()} : std::nullopt;
    if (call.fault && call.fault->kind == Fault::Kind::duplicate_items && !shown.empty()) {
        std::vector<Item> doubled{shown.begin(), shown.end()};
        doubled.insert(doubled.begin(), shown.front());
        return json(write(std::span<const Item>{doubled}, total));
    }
    return json(write(shown, total));
}

Answer Protocol::list_organisations(const Call& call) {
    auto organisations = world_.organisations(call.at);
    std::vector<std::int64_t> size_classes;
    for (const auto& text : call.list("size_classes", options_.size_classes)) {
        const auto size_class = parse_number<std::int64_t>(text);
        if (size_class != 20 && size_class != 50 && size_class != 10000) {
            return invalid_param("size_classes");
        }
        size_classes.push_back(*size_class);
    }
    std::vector<std::int64_t> ids;
    for (const auto& text : call.list("organisation_ids", ListForm::both)) {
        const auto id = parse_number<std::int64_t>(text);
        if (!id) {
            return invalid_param("organisation_ids");
        }
        ids.push_back(*id);
    }
    const auto lacks = [](const std::vector<std::int64_t>& wanted, std::int64_t value) {
        return !wanted.empty() && std::ranges::find(wanted, value) == wanted.end();
    };
    std::erase_if(organisations, [&](const Organisation& organisation) {
        return lacks(size_classes, organisation.size_class) || lacks(ids, organisation.id);
    });
    return page(call, organisations, organisations_document);
}

Answer Protocol::stats(const Call& call) {
    const auto stats = world_.stats(*call.organisation, call.business_id(), call.at);
    return stats ? json(stats_document(*stats, options_.stats_shape)) : invalid_param("business_id");
}

Answer Protocol::energy_levels(const Call& call) {
    const auto start = call.parameter("start_date");
    const auto end = call.parameter("end_date");
    if (!start || !end) {
        return refusal(400, "missing_param", start ? "end_date" : "start_date");
    }
    const auto first = parse_date(*start);
    const auto last = parse_date(*end);
    if (!first || !last || *last < *first) {
        return invalid_param(first ? "end_date" : "start_date");
    }
    auto document =
        energy_levels_document(world_, *call.organisation, call.business_id(), DateRange{*first, *last}, call.at);
    return document.empty() ? invalid_param("business_id") : json(std::move(document));
}

Answer Protocol::list_reports(const Call& call) {
    auto reports = world_.reports(*call.organisation, call.at);
    if (const auto viewed = call.parameter("viewed")) {
        if (*viewed != "true" && *viewed != "false") {
            return invalid_param("viewed");
        }
        std::erase_if(reports, [&](const Report& report) { return report.viewed != (*viewed == "true"); });
    }
    return page(call, reports, reports_document);
}

Answer Protocol::full_data(const Call& call) {
    if (options_.full_data_location && !call.moved) {
        return redirect(302, *options_.full_data_location, call.target);
    }
    if (!call.report) {
        return refusal(404, "not_found", "There is no such report");
    }
    auto answer = json(report_document(world_, *call.report));
    answer.report = call.report;
    return answer;
}

}  // namespace heiasync::simulator
