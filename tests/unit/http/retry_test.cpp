#include "http/retry.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using Action = RetryDecision::Action;

constexpr RetryPolicy policy{5, 1s, 60s};
constexpr double almost_all = 0.999999;

Attempt answered(unsigned status, int number = 1, std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
    return {number, status, true, retry_after};
}

TEST(DecideRetry, RepeatsOnlyWhatMayChange) {
    for (const unsigned status : {429U, 500U, 502U, 503U, 504U}) {
        EXPECT_EQ(decide_retry(policy, answered(status), 0.5).action, Action::wait) << status;
    }
    for (const unsigned status : {200U, 204U, 301U, 304U, 400U, 401U, 403U, 404U, 408U, 409U, 425U, 501U, 505U, 599U}) {
        EXPECT_EQ(decide_retry(policy, answered(status), 0.5).action, Action::accept) << status;
        EXPECT_EQ(decide_retry(policy, answered(status, 9, 1h), 0.5).action, Action::accept) << status;
    }
    EXPECT_EQ(decide_retry(policy, {1, std::nullopt, true, {}}, 0.5).action, Action::wait);
    EXPECT_EQ(decide_retry(policy, {1, std::nullopt, false, {}}, 0.5).action, Action::give_up);
}

TEST(DecideRetry, GivesUpAfterTheLastAttempt) {
    EXPECT_EQ(decide_retry(policy, answered(503, 4), 0.5).action, Action::wait);
    EXPECT_EQ(decide_retry(policy, answered(503, 5), 0.5).action, Action::give_up);
    EXPECT_EQ(decide_retry(policy, answered(503, 6), 0.5).action, Action::give_up);
    EXPECT_EQ(decide_retry({1, 1s, 60s}, answered(503, 1), 0.5).action, Action::give_up);
}

TEST(DecideRetry, DoublesTheDelayUpToTheCap) {
    const RetryPolicy patient{100, 1s, 60s};
    const std::pair<int, std::chrono::milliseconds> expected[] = {{1, 1s},  {2, 2s},  {3, 4s},  {4, 8s},  {5, 16s},
                                                                  {6, 32s}, {7, 60s}, {8, 60s}, {99, 60s}};
    for (const auto& [number, delay] : expected) {
        const auto got = decide_retry(patient, answered(500, number), almost_all).delay;
        EXPECT_LE(got, delay) << number;
        EXPECT_GE(got, delay - 1ms) << number;
    }
    EXPECT_EQ(decide_retry({9, 0s, 60s}, answered(500, 8), almost_all).delay, 0ms);
    EXPECT_LE(decide_retry({9, 90s, 60s}, answered(500, 1), almost_all).delay, 60s);
}

TEST(DecideRetry, SpreadsTheDelayOverTheWholeRange) {
    EXPECT_EQ(decide_retry(policy, answered(500, 3), 0.0).delay, 0ms);
    EXPECT_EQ(decide_retry(policy, answered(500, 3), 0.25).delay, 1s);
    EXPECT_EQ(decide_retry(policy, answered(500, 3), 0.5).delay, 2s);
}

TEST(DecideRetry, NeverComesBeforeRetryAfter) {
    EXPECT_EQ(decide_retry(policy, answered(429, 1, 7s), 0.5).delay, 7s);
    EXPECT_EQ(decide_retry(policy, answered(429, 4, 1s), 0.5).delay, 4s);
    EXPECT_EQ(decide_retry(policy, answered(429, 4, 0s), 0.5).delay, 4s);
}

TEST(DecideRetry, DefersWhatIsBeyondItsPatience) {
    EXPECT_EQ(decide_retry(policy, answered(503, 1, 60s), 0.5).action, Action::wait);
    EXPECT_EQ(decide_retry(policy, answered(503, 1, 60001ms), 0.5).action, Action::defer);
    EXPECT_EQ(decide_retry(policy, answered(503, 5, 60001ms), 0.5).action, Action::defer);
    EXPECT_EQ(decide_retry(policy, answered(503, 5, 60s), 0.5).action, Action::give_up);
}

TEST(ParseRetryAfter, TakesSecondsAndDates) {
    const core::Instant now = date::sys_days{date::year{1994} / 11 / 6} + 8h + 49min;
    EXPECT_EQ(parse_retry_after("0", now), 0ms);
    EXPECT_EQ(parse_retry_after("120", now), 120s);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 37s);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now), 37s);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", now), 37s);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:48:00 GMT", now), 0ms);
}

TEST(ParseRetryAfter, CutsWhatIsAbsurd) {
    const core::Instant now = date::sys_days{date::year{2026} / 1 / 1};
    EXPECT_EQ(parse_retry_after("99999999999999999999999999", now), 8760h);
    EXPECT_EQ(parse_retry_after("99999999999", now), 8760h);
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), 8760h);
}

TEST(ParseRetryAfter, IgnoresWhatIsNeither) {
    for (const std::string_view text : {"", " ", "-1", "+1", "1.5", "1s", "soon", "0x10", "Sun, 06 Nov"}) {
        EXPECT_EQ(parse_retry_after(text, core::Instant{}), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace heiasync::http
