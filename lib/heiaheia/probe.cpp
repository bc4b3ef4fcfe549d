#include "heiaheia/probe.hpp"

#include "documents/cursor.hpp"
#include "heiaheia/token_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::heiaheia {

namespace asio = boost::asio;

namespace {

constexpr unsigned status_ok = 200;
constexpr unsigned status_bad_request = 400;
constexpr unsigned status_unauthorized = 401;
constexpr unsigned status_forbidden = 403;
constexpr std::size_t largest_page = 500;

struct Reply {
    Operation operation = Operation::organisations;
    unsigned status = 0;
    std::string body;
    std::string code;

    [[nodiscard]] bool ok() const { return status == status_ok; }
    [[nodiscard]] std::string text() const {
        return fmt::format("{}: {}{}{}", route(operation), status, code.empty() ? "" : " ", code);
    }
};

/// A page of the listing of organisations.
struct Listing {
    std::vector<std::int64_t> ids;
    std::set<std::int64_t> classes;
    std::size_t items = 0;
    Total total = Total::absent;
};

Total read_total(const std::string& body) {
    core::StringSource source{body};
    documents::Cursor cursor{"organisations", source};
    cursor.enter_object();
    Total total = Total::absent;
    while (const auto name = cursor.next_member()) {
        if (*name == "total") {
            total = cursor.type() == documents::ValueType::null ? Total::null : Total::number;
        }
    }
    return total;
}

/// Throws DecodeError.
Listing read_listing(const std::string& body) {
    core::StringSource source{body};
    const documents::Page<documents::Organisation> page = documents::decode_organisations(source);
    Listing listing;
    listing.items = page.raw_count;
    listing.total = read_total(body);
    for (const documents::Organisation& organisation : page.items) {
        listing.ids.push_back(organisation.id);
        if (organisation.size_class) {
            listing.classes.insert(*organisation.size_class);
        }
    }
    return listing;
}

/// Throws DecodeError where it is neither.
StatsShape read_stats_shape(const std::string& body) {
    core::StringSource source{body};
    static_cast<void>(documents::decode_usage_stats(source));
    core::StringSource again{body};
    documents::Cursor cursor{"usage_stats", again};
    cursor.enter_object();
    StatsShape shape = StatsShape::bare;
    while (const auto name = cursor.next_member()) {
        if (*name == "usage") {
            shape = StatsShape::wrapped;
        }
    }
    return shape;
}

/// `size_classes=50,10000` or `size_classes=50&size_classes=10000`.
enum class ListForm { comma, repeated };

/// Two size classes to ask for, so that the answer shows what was made of them.
struct AskedClasses {
    std::array<std::int64_t, 2> classes{};
    std::set<std::int64_t> present;  ///< those of them that there are organisations of
};

/// Leaves out a class that there is. Where one is asked for that there is not, it stands where a server looks that
/// takes but one, first in a comma list and last in a repetition: then nothing comes, and that shows.
AskedClasses classes_to_ask(const std::set<std::int64_t>& there, ListForm form) {
    // The last one stays out: 20 where all three are there.
    std::array<std::int64_t, 3> in_order{50, 10000, 20};
    std::ranges::stable_partition(in_order, [&there](std::int64_t c) { return !there.contains(c); });
    AskedClasses asked;
    asked.classes = {in_order[0], in_order[1]};
    if (form == ListForm::repeated) {
        std::swap(asked.classes[0], asked.classes[1]);
    }
    std::ranges::copy_if(asked.classes, std::inserter(asked.present, asked.present.end()),
                         [&](std::int64_t c) { return there.contains(c); });
    return asked;
}

Finding<ListFilter> judge(const Listing& everything, const AskedClasses& asked, const Listing& filtered) {
    const auto is_asked = [&](std::int64_t c) { return std::ranges::find(asked.classes, c) != asked.classes.end(); };
    const auto other = std::ranges::find_if_not(filtered.classes, is_asked);
    if (other != filtered.classes.end()) {
        return {ListFilter::ignored, fmt::format("asked for {} and {}, organisations of {} came too", asked.classes[0],
                                                 asked.classes[1], *other)};
    }
    if (asked.present.empty()) {
        return {std::nullopt, fmt::format("all organisations are of size class {}", *everything.classes.begin())};
    }
    const auto missing =
        std::ranges::find_if(asked.present, [&](std::int64_t c) { return !filtered.classes.contains(c); });
    if (missing == asked.present.end()) {
        return {ListFilter::honoured, ""};
    }
    if (filtered.items >= everything.items) {
        return {std::nullopt, fmt::format("the first page has no organisation of {}", *missing)};
    }
    return {ListFilter::partly,
            fmt::format("asked for {} and {}, none of {} came", asked.classes[0], asked.classes[1], *missing)};
}

class Probe {
public:
    Probe(http::Client& client, AdminApiSettings settings) : client_{client}, settings_{std::move(settings)} {
        settings_.base_url.erase(settings_.base_url.find_last_not_of('/') + 1);
    }

    asio::awaitable<ProbeReport> run() {
        try {
            co_await ask();
        } catch (const http::TransportError& error) {
            close(ProbeReport::Access::unavailable, error.what());
        } catch (const documents::DecodeError& error) {
            close(ProbeReport::Access::unavailable, error.what());
        }
        co_return std::move(report_);
    }

private:
    enum class TokenPlace { header, query };

    void close(ProbeReport::Access access, std::string why) {
        report_.access = access;
        report_.error = std::move(why);
    }

    void close(const Reply& reply) {
        const bool rejected = reply.status == status_bad_request || reply.status == status_unauthorized ||
                              reply.status == status_forbidden;
        close(rejected ? ProbeReport::Access::rejected : ProbeReport::Access::unavailable, reply.text());
    }

    asio::awaitable<void> ask() {
        co_await get_token();
        if (!report_.has_token) {
            co_return;
        }
        const std::optional<Listing> everything = co_await list_everything();
        if (!everything) {
            co_return;
        }
        report_.total.answer = everything->total;
        co_await find_token_in_query();
        co_await answer(report_.page_cap, find_page_cap(*everything));
        co_await answer(report_.comma_list, find_filter(*everything, ListForm::comma));
        co_await answer(report_.repeated_list, find_filter(*everything, ListForm::repeated));
        co_await answer(report_.stats_shape, find_stats_shape(*everything));
    }

    /// Awaits the answer to one question. One that cannot be read leaves the others as they are.
    template <class Answer>
    static asio::awaitable<void> answer(Finding<Answer>& finding, asio::awaitable<Finding<Answer>> question) {
        try {
            finding = co_await std::move(question);
        } catch (const documents::DecodeError& error) {
            finding.remark = error.what();
        }
    }

    asio::awaitable<void> get_token() {
        http::Request request{std::string{route(Operation::access_token)},
                              http::parse_url(settings_.base_url + "/oauth/token")};
        request.method = "POST";
        request.body = token_request_body(settings_);
        const Reply reply = co_await send(Operation::access_token, request);
        if (!reply.ok()) {
            close(reply);
            co_return;
        }
        core::StringSource source{reply.body};
        documents::AccessToken token = documents::decode_access_token(source);
        token_ = std::move(token.token);
        report_.has_token = true;
        report_.scope = std::move(token.scope);
        report_.token_created_at = token.created_at;
    }

    /// The first page without a filter. Without one, nothing else can be asked.
    asio::awaitable<std::optional<Listing>> list_everything() {
        Reply reply = co_await list(fmt::format("per_page={}&page=1", largest_page), TokenPlace::header);
        if (reply.status == status_unauthorized) {
            report_.token_in_header = {false, reply.text()};
            const std::string refusal = reply.text();
            reply = co_await list(fmt::format("per_page={}&page=1", largest_page), TokenPlace::query);
            close(ProbeReport::Access::rejected, refusal);
            if (reply.status == status_unauthorized) {
                report_.token_in_query = {false, reply.text()};
                co_return std::nullopt;
            }
            place_ = TokenPlace::query;
        }
        if (!reply.ok()) {
            close(reply);
            co_return std::nullopt;
        }
        const Listing listing = read_listing(reply.body);
        (place_ == TokenPlace::header ? report_.token_in_header : report_.token_in_query).answer = true;
        co_return listing;
    }

    asio::awaitable<void> find_token_in_query() {
        if (report_.token_in_query.answer) {
            co_return;
        }
        const Reply reply = co_await list("per_page=1&page=1", TokenPlace::query);
        if (reply.ok() || reply.status == status_unauthorized) {
            report_.token_in_query.answer = reply.ok();
        }
        report_.token_in_query.remark = reply.ok() ? "" : reply.text();
    }

    asio::awaitable<Finding<PageCap>> find_page_cap(const Listing& first) {
        Finding<PageCap> finding;
        PageCap cap{largest_page, first.items, false};
        if (cap.came >= cap.asked) {
            finding.answer = cap;
            co_return finding;
        }
        const Reply reply = co_await list(fmt::format("per_page={}&page=2", largest_page), place_);
        if (!reply.ok()) {
            finding.remark = reply.text();
            co_return finding;
        }
        const Listing second = read_listing(reply.body);
        cap.capped = std::ranges::any_of(
            second.ids, [&first](std::int64_t id) { return std::ranges::find(first.ids, id) == first.ids.end(); });
        if (cap.capped) {
            finding.answer = cap;
        } else {
            finding.remark = fmt::format("asked for {}, and there are only {}", cap.asked, cap.came);
        }
        co_return finding;
    }

    asio::awaitable<Finding<ListFilter>> find_filter(const Listing& everything, ListForm form) {
        Finding<ListFilter> finding;
        if (everything.classes.empty()) {
            finding.remark = "no organisation with a size class is listed";
            co_return finding;
        }
        const AskedClasses asked = classes_to_ask(everything.classes, form);
        const char* const separator = form == ListForm::comma ? "," : "&size_classes=";
        const Reply reply = co_await list(
            fmt::format("per_page={}&page=1&size_classes={}", largest_page, fmt::join(asked.classes, separator)),
            place_);
        if (reply.ok()) {
            finding = judge(everything, asked, read_listing(reply.body));
        } else {
            finding.answer = ListFilter::refused;
            finding.remark = reply.text();
        }
        co_return finding;
    }

    asio::awaitable<Finding<StatsShape>> find_stats_shape(const Listing& everything) {
        Finding<StatsShape> finding;
        if (everything.ids.empty()) {
            finding.remark = "no organisation is listed";
            co_return finding;
        }
        const Reply reply =
            co_await get(Operation::usage_stats,
                         fmt::format("/admin/v1/documents/organisations/{}/stats", everything.ids.front()), place_);
        if (reply.ok()) {
            finding.answer = read_stats_shape(reply.body);
        } else {
            finding.remark = reply.text();
        }
        co_return finding;
    }

    asio::awaitable<Reply> list(std::string query, TokenPlace place) {
        return get(Operation::organisations, "/admin/v1/documents/organisations?" + query, place);
    }

    asio::awaitable<Reply> get(Operation operation, std::string path, TokenPlace place) {
        std::string url = settings_.base_url + path;
        if (place == TokenPlace::query) {
            const char separator = path.find('?') == std::string::npos ? '?' : '&';
            url += fmt::format("{}access_token={}", separator, http::encode_component(token_.reveal()));
        }
        http::Request request{std::string{route(operation)}, http::parse_url(url)};
        if (place == TokenPlace::header) {
            request.bearer = token_;
        }
        co_return co_await send(operation, request);
    }

    asio::awaitable<Reply> send(Operation operation, const http::Request& request) {
        core::StringSink body;
        const http::Response response = co_await client_.send(request, body, 1);
        if (const auto date = response.server_date()) {
            report_.clock.answer = std::chrono::duration_cast<std::chrono::seconds>(*date - response.received_at);
        }
        Reply reply;
        reply.operation = operation;
        reply.status = response.status;
        reply.body = body.text();
        reply.code = documents::decode_failure(response.failure_body).code;
        co_return reply;
    }

    http::Client& client_;
    AdminApiSettings settings_;
    core::Secret token_;
    TokenPlace place_ = TokenPlace::header;
    ProbeReport report_;
};

}  // namespace

asio::awaitable<ProbeReport> probe(http::Client& client, AdminApiSettings settings) {
    Probe probe{client, std::move(settings)};
    co_return co_await probe.run();
}

}  // namespace heiasync::heiaheia
