#include "http/client.hpp"

#include "core/duration.hpp"
#include "http/connection.hpp"
#include "http/deadline.hpp"
#include "http/failure.hpp"
#include "http/http_date.hpp"
#include "http/message.hpp"
#include "http/proxy.hpp"
#include "http/redirect.hpp"
#include "http/response_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace heiasync::http {
namespace {

namespace asio = boost::asio;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Kind = TransportError::Kind;

bool kind_is_retriable(Kind kind) {
    return kind != Kind::tls && kind != Kind::too_large && kind != Kind::redirect;
}

/// Tells of an exchange when it begins and when it has ended, whatever ends it.
class InHand {
public:
    explicit InHand(const ClientSettings& settings) : tell_{settings.on_exchange} {
        tell(settings.connect_timeout + settings.request_timeout);
    }
    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;
    ~InHand() { tell(std::nullopt); }

private:
    void tell(std::optional<milliseconds> limit) const {
        if (tell_) {
            tell_(limit);
        }
    }

    const std::function<void(std::optional<milliseconds>)>& tell_;
};

}  // namespace

TransportError::TransportError(Kind kind, const std::string& what, int attempts)
    : std::runtime_error{what}, kind_{kind}, attempts_{attempts} {}

bool TransportError::retriable() const {
    return kind_is_retriable(kind_);
}

std::optional<std::string_view> Response::header(std::string_view name) const {
    const auto found =
        std::ranges::find(headers, name, [](const auto& header) -> std::string_view { return header.first; });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>{found->second};
}

std::optional<core::Instant> Response::server_date() const {
    const auto date = header("date");
    if (!date || header("age")) {
        return std::nullopt;
    }
    return parse_http_date(*date, received_at);
}

class Client::Impl {
public:
    Impl(core::Clock& clock, ClientSettings settings)
        : clock_{clock},
          settings_{std::move(settings)},
          proxy_environment_{proxy_environment()},
          connector_{settings_.ca_file},
          random_{std::random_device{}()} {
        check_header_value(settings_.user_agent, "the user agent");
        if (settings_.proxy) {
            parse_proxy(*settings_.proxy);
        }
    }

    asio::awaitable<Response> send(const Request& request, core::ByteSink& body, std::optional<int> attempts);

    [[nodiscard]] milliseconds held_for(const Origin& origin) {
        const Hold* hold = held(origin);
        return hold == nullptr ? milliseconds{0} : std::chrono::ceil<milliseconds>(hold->until - clock_.now());
    }

    asio::awaitable<void> wait(milliseconds delay);

    void close() noexcept { kept_.reset(); }

private:
    /// One attempt, as far as it got.
    struct Try {
        std::optional<Response> response;
        std::optional<Failure> failure;
        bool held = false;        // the response stands for a request that was not sent
        bool redirected = false;  // the failure is that of a server which we were sent to
        int requests = 0;
        std::uint64_t bytes_received = 0;
        steady_clock::time_point began;
    };

    /// An origin that asked for patience.
    struct Hold {
        Origin origin;
        core::Instant until;
        unsigned status;
    };

    asio::awaitable<void> attempt(const Request& request, core::ByteSink& body, Try& result);
    asio::awaitable<void> follow(const Request& request, core::ByteSink& body, Try& result);
    asio::awaitable<Response> exchange(const Request& request, const Url& url, bool authorised, core::ByteSink& body,
                                       Try& result);
    asio::awaitable<void> pace();

    void hold(const Origin& origin, const Response& response);
    [[nodiscard]] const Hold* held(const Origin& origin);
    void report(const Request& request, const Try& result, std::string_view error,
                std::optional<milliseconds> retry_in) const;

    core::Clock& clock_;
    ClientSettings settings_;
    ProxyEnvironment proxy_environment_;
    Connector connector_;
    Inflater inflater_;
    std::unique_ptr<Connection> kept_;
    Origin kept_origin_;
    std::vector<Hold> holds_;
    std::optional<core::Instant> last_start_;
    std::mt19937_64 random_;
};

asio::awaitable<Response> Client::Impl::send(const Request& request, core::ByteSink& body,
                                             std::optional<int> attempts) {
    check(request);
    RetryPolicy policy = settings_.retry;
    policy.attempts = attempts.value_or(policy.attempts);
    for (int number = 1;; ++number) {
        Try result;
        co_await attempt(request, body, result);
        if (result.held) {
            result.response->attempts = number - 1;
            result.response->deferred = true;
            co_return std::move(*result.response);
        }

        Attempt made;
        made.number = number;
        std::string error;
        if (result.response) {
            made.status = result.response->status;
            if (const auto retry_after = result.response->header("retry-after")) {
                made.retry_after = parse_retry_after(
                    *retry_after, result.response->server_date().value_or(result.response->received_at));
            }
        } else {
            made.retriable_error = kind_is_retriable(result.failure->kind());
            error = fmt::format("{}: {}{}: {}", request.route, authority(request.url.origin),
                                result.redirected ? ", redirected" : "", result.failure->what());
        }
        const double jitter = std::uniform_real_distribution<double>{}(random_);
        const RetryDecision decision = decide_retry(policy, made, jitter);
        if (decision.action == RetryDecision::Action::wait) {
            report(request, result, error, decision.delay);
            co_await wait(decision.delay);
            continue;
        }
        report(request, result, error, std::nullopt);
        if (!result.response) {
            throw TransportError{result.failure->kind(), error, number};
        }
        result.response->attempts = number;
        result.response->deferred = decision.action == RetryDecision::Action::defer;
        co_return std::move(*result.response);
    }
}

asio::awaitable<void> Client::Impl::attempt(const Request& request, core::ByteSink& body, Try& result) {
    body.restart();
    try {
        co_await follow(request, body, result);
    } catch (const Failure& failure) {
        result.failure = failure;
    }
}

asio::awaitable<void> Client::Impl::follow(const Request& request, core::ByteSink& body, Try& result) {
    Url url = request.url;
    bool authorised = true;
    for (int followed = 0;; ++followed) {
        const milliseconds remaining = held_for(url.origin);
        if (remaining > settings_.retry.max_delay) {
            result.held = true;
            result.response.emplace().status = held(url.origin)->status;
            co_return;
        }
        co_await wait(remaining);
        co_await pace();
        if (followed == 0) {
            result.began = steady_clock::now();
        }
        ++result.requests;
        Response response = co_await exchange(request, url, authorised, body, result);
        hold(url.origin, response);
        RedirectDecision decision =
            decide_redirect(request.method, url, response.status, response.header("location"), followed);
        if (decision.action == RedirectDecision::Action::answer) {
            result.response = std::move(response);
            co_return;
        }
        if (decision.action == RedirectDecision::Action::refuse) {
            throw Failure{Kind::redirect, std::string{decision.reason}};
        }
        authorised = authorised && decision.to.origin == request.url.origin;
        result.redirected = result.redirected || decision.to.origin != request.url.origin;
        url = std::move(decision.to);
    }
}

asio::awaitable<Response> Client::Impl::exchange(const Request& request, const Url& url, bool authorised,
                                                 core::ByteSink& body, Try& result) {
    const bool main_origin = url.origin == request.url.origin;
    const std::optional<Proxy> proxy = decide_proxy(url.origin, settings_.proxy, proxy_environment_);
    const core::Secret* proxy_authorization = proxy && !url.origin.tls() ? &proxy->authorization : nullptr;
    const Destination destination{url, authorised, proxy_authorization};
    const RequestText text{request, destination, settings_.user_agent};

    // Twice at most: what stands open may have gone stale, what was just opened has not.
    for (;;) {
        const InHand in_hand{settings_};
        std::unique_ptr<Connection> connection;
        if (main_origin && kept_origin_ == url.origin) {
            connection = std::move(kept_);
        }
        if (!connection) {
            connection = co_await connector_.connect(url.origin, proxy, settings_.connect_timeout);
        }
        ResponseReader reader{ResponseReader::Expect::answer, inflater_, body, settings_.max_response_size,
                              result.bytes_received};
        bool in_time = false;
        try {
            in_time =
                co_await connection->exchange(text.bytes(), reader, steady_clock::now() + settings_.request_timeout);
        } catch (const StaleConnection&) {
            continue;
        }
        if (!in_time) {
            throw Failure{Kind::timeout, "not answered within " + core::format_duration(settings_.request_timeout)};
        }
        if (main_origin && connection->reusable()) {
            kept_ = std::move(connection);
            kept_origin_ = url.origin;
        }
        reader.response().received_at = clock_.now();
        co_return std::move(reader.response());
    }
}

/// Waits on the clock, and no longer than `delay` in real time: a clock that is set back must not prolong it.
asio::awaitable<void> Client::Impl::wait(milliseconds delay) {
    if (delay > milliseconds{0}) {
        co_await within(steady_clock::now() + delay, clock_.sleep_until(clock_.now() + delay));
    }
}

asio::awaitable<void> Client::Impl::pace() {
    if (settings_.min_request_interval > milliseconds{0}) {
        if (last_start_) {
            const auto since = std::max(clock_.now() - *last_start_, microseconds{0});
            co_await wait(std::chrono::ceil<milliseconds>(settings_.min_request_interval - since));
        }
        last_start_ = clock_.now();
    }
}

void Client::Impl::hold(const Origin& origin, const Response& response) {
    const auto retry_after = response.header("retry-after");
    if (!retry_after || !retriable_status(response.status)) {
        return;
    }
    const auto delay = parse_retry_after(*retry_after, response.server_date().value_or(response.received_at));
    std::erase_if(holds_, [&](const Hold& hold) { return hold.origin == origin; });
    if (delay && *delay > milliseconds{0}) {
        holds_.push_back({origin, response.received_at + *delay, response.status});
    }
}

const Client::Impl::Hold* Client::Impl::held(const Origin& origin) {
    if (holds_.empty()) {
        return nullptr;
    }
    std::erase_if(holds_, [now = clock_.now()](const Hold& hold) { return hold.until <= now; });
    const auto found = std::ranges::find(holds_, origin, &Hold::origin);
    return found == holds_.end() ? nullptr : &*found;
}

void Client::Impl::report(const Request& request, const Try& result, std::string_view error,
                          std::optional<milliseconds> retry_in) const {
    if (!settings_.on_attempt) {
        return;
    }
    AttemptReport report;
    report.route = request.route;
    report.requests = result.requests;
    report.error = error;
    report.duration = duration_cast<microseconds>(steady_clock::now() - result.began);
    report.bytes_received = result.bytes_received;
    report.retry_in = retry_in;
    if (result.response) {
        report.status = result.response->status;
        report.server_date = result.response->server_date();
    }
    settings_.on_attempt(report);
}

Client::Client(core::Clock& clock, ClientSettings settings)
    : impl_{std::make_unique<Impl>(clock, std::move(settings))} {}

Client::~Client() = default;

asio::awaitable<Response> Client::send(const Request& request, core::ByteSink& body, std::optional<int> attempts) {
    return impl_->send(request, body, attempts);
}

milliseconds Client::held_for(const Origin& origin) const {
    return impl_->held_for(origin);
}

asio::awaitable<void> Client::wait_out_hold(Origin origin) {
    return impl_->wait(impl_->held_for(origin));
}

void Client::close() noexcept {
    impl_->close();
}

}  // namespace heiasync::http
