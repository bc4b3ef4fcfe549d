#include "http/retry.hpp"

#include "http/http_date.hpp"

#include <algorithm>
#include <charconv>

namespace heiasync::http {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds longest_retry_after = std::chrono::hours{24 * 365};

milliseconds back_off(const RetryPolicy& policy, int attempts_made) {
    milliseconds delay = policy.base_delay;
    for (int i = 1; i < attempts_made && delay < policy.max_delay; ++i) {
        delay *= 2;
    }
    return std::min(delay, policy.max_delay);
}

}  // namespace

bool retriable_status(unsigned status) {
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

RetryDecision decide_retry(const RetryPolicy& policy, const Attempt& attempt, double jitter) {
    using Action = RetryDecision::Action;
    if (attempt.status && !retriable_status(*attempt.status)) {
        return {Action::accept};
    }
    if (!attempt.status && !attempt.retriable_error) {
        return {Action::give_up};
    }
    const milliseconds retry_after = attempt.retry_after.value_or(milliseconds{0});
    if (retry_after > policy.max_delay) {
        return {Action::defer, retry_after};
    }
    if (attempt.number >= policy.attempts) {
        return {Action::give_up};
    }
    const auto jittered = jitter * std::chrono::duration<double, std::milli>{back_off(policy, attempt.number)};
    return {Action::wait, std::max(std::chrono::duration_cast<milliseconds>(jittered), retry_after)};
}

std::optional<milliseconds> parse_retry_after(std::string_view value, core::Instant now) {
    if (!value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
        std::int64_t seconds = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
        if (error == std::errc::result_out_of_range || seconds > longest_retry_after.count()) {
            return longest_retry_after;
        }
        return std::chrono::seconds{seconds};
    }
    const auto date = parse_http_date(value, now);
    if (!date) {
        return std::nullopt;
    }
    return std::clamp(std::chrono::ceil<milliseconds>(*date - now), milliseconds{0}, milliseconds{longest_retry_after});
}

}  // namespace heiasync::http
