#pragma once

#include "core/instant.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace heiasync::http {

/// How often and how patiently a request is repeated.
struct RetryPolicy {
    int attempts = 5;  ///< of one request, the first included
    std::chrono::milliseconds base_delay{1000};
    std::chrono::milliseconds max_delay{60'000};
};

/// What came of an attempt.
struct Attempt {
    int number = 1;                  ///< counted from 1
    std::optional<unsigned> status;  ///< unset: a transport error
    bool retriable_error = true;     ///< of the transport error; false: a certificate, a body too large
    std::optional<std::chrono::milliseconds> retry_after;  ///< as the server asked for; past dates are 0
};

struct RetryDecision {
    enum class Action {
        accept,   ///< the answer is one: a status that no repetition would change
        wait,     ///< `delay`, then try again
        give_up,  ///< the attempts are used up, or it may not be retried
        defer     ///< the server asks for more patience than max_delay: not in this pass
    };

    Action action = Action::accept;
    std::chrono::milliseconds delay{0};
};

/// Whether an answer of that status may be another a moment later: 429, 500, 502, 503, 504.
[[nodiscard]] bool retriable_status(unsigned status);

/// Retried are transport errors and retriable statuses, and nothing else. The delay is `jitter` (0 <= jitter < 1: full
/// jitter) times the back-off: base_delay after the first attempt, twice as much after each further one, at most
/// max_delay. It is never less than Retry-After; where that asks for more than max_delay, the answer is deferred, be
/// attempts left or not.
[[nodiscard]] RetryDecision decide_retry(const RetryPolicy& policy, const Attempt& attempt, double jitter);

/// Reads a Retry-After header: seconds, or an HTTP date (RFC 9110, section 10.2.3), which counts from `now`. A past
/// date is 0, more than a year is a year, and what is neither is none.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, core::Instant now);

}  // namespace heiasync::http
