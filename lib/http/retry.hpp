#pragma once

#include <chrono>
#include <optional>

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

/// Retried are transport errors, 429, 500, 502, 503 and 504, and nothing else. The delay is `jitter` (0 <= jitter < 1:
/// full jitter) times base_delay doubled for each attempt made and capped at max_delay, but never less than
/// Retry-After.
RetryDecision decide_retry(const RetryPolicy& policy, const Attempt& attempt, double jitter);

}  // namespace heiasync::http
