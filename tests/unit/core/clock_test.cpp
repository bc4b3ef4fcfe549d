#include "core/clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <ctime>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>

namespace heiasync::core {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

/// A wait for `instant` that has been started, and how it ended.
class Sleep {
public:
    Sleep(Clock& clock, Instant instant) {
        asio::co_spawn(loop_, clock.sleep_until(instant),
                       asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr error) {
                           error_ = std::move(error);
                           ended_ = true;
                       }));
    }

    bool ends_at_once() {
        loop_.poll();
        return ended_;
    }
    void run_to_its_end() { loop_.run(); }
    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

    [[nodiscard]] std::optional<boost::system::error_code> error() const {
        try {
            if (error_) {
                std::rethrow_exception(error_);
            }
        } catch (const boost::system::system_error& error) {
            return error.code();
        }
        return std::nullopt;
    }

private:
    asio::io_context loop_;
    asio::cancellation_signal signal_;
    std::exception_ptr error_;
    bool ended_ = false;
};

TEST(SystemClock, tells_the_time_of_the_machine) {
    const SystemClock clock;
    const auto before = date::floor<microseconds>(std::chrono::system_clock::now());
    const Instant now = clock.now();
    EXPECT_GE(now, before);
    EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(SystemClock, does_not_wait_for_what_has_passed) {
    SystemClock clock;
    Sleep sleep{clock, clock.now()};
    EXPECT_TRUE(sleep.ends_at_once());
    EXPECT_FALSE(sleep.error());
}

TEST(SystemClock, never_wakes_early) {
    SystemClock clock;
    const Instant instant = clock.now() + std::chrono::milliseconds{3};
    Sleep sleep{clock, instant};
    sleep.run_to_its_end();
    EXPECT_GE(clock.now(), instant);
    EXPECT_FALSE(sleep.error());
}

TEST(SystemClock, ends_a_cancelled_wait_however_long) {
    SystemClock clock;
    for (const Instant instant : {clock.now() + hours{1}, Instant::max()}) {
        Sleep sleep{clock, instant};
        ASSERT_FALSE(sleep.ends_at_once());
        sleep.cancel();
        sleep.run_to_its_end();
        EXPECT_EQ(sleep.error(), asio::error::operation_aborted);
    }
}

TEST(SystemClock, naps_until_the_instant_where_nobody_sets_it) {
    SystemClock clock;
    const Instant instant = clock.now() + std::chrono::milliseconds{3};
    asio::io_context loop;
    bool ended = false;
    asio::co_spawn(loop, clock.nap_until(instant), [&ended](const std::exception_ptr&) { ended = true; });
    loop.run();
    EXPECT_TRUE(ended);
    EXPECT_GE(clock.now(), instant);
}

TEST(SystemClock, ends_a_nap_when_the_clock_is_set) {
    SystemClock clock;
    asio::io_context loop;
    bool ended = false;
    asio::co_spawn(loop, clock.nap_until(clock.now() + hours{1}),
                   [&ended](const std::exception_ptr&) { ended = true; });
    loop.poll();
    ASSERT_FALSE(ended);
    // To what it says: the kernel tells of that too.
    timespec now{};
    ASSERT_EQ(::clock_gettime(CLOCK_REALTIME, &now), 0);
    if (::clock_settime(CLOCK_REALTIME, &now) != 0) {
        GTEST_SKIP() << "whoever runs this may not set the clock";
    }
    loop.run_for(seconds{10});
    EXPECT_TRUE(ended);
}

TEST(JumpingClock, leaps_to_what_is_waited_for_and_runs_with_real_time) {
    const Instant start = parse_instant("2026-07-01T00:00:00Z");
    JumpingClock clock{start};
    const auto real_start = std::chrono::steady_clock::now();
    Sleep sleep{clock, start + hours{24}};
    EXPECT_TRUE(sleep.ends_at_once());
    const Instant now = clock.now();
    EXPECT_GE(now, start + hours{24});
    EXPECT_LE(now - start - hours{24}, std::chrono::steady_clock::now() - real_start);
}

TEST(JumpingClock, does_not_wait_for_what_has_passed_nor_go_back) {
    const Instant start = parse_instant("2026-07-01T00:00:00Z");
    JumpingClock clock{start};
    Sleep sleep{clock, start - hours{24}};
    EXPECT_TRUE(sleep.ends_at_once());
    EXPECT_GE(clock.now(), start);
}

TEST(SimulatedClock, runs_as_fast_as_it_was_told) {
    const Instant start = parse_instant("2026-07-01T00:00:00Z");
    const auto real_start = std::chrono::steady_clock::now();
    const SimulatedClock clock{start, 1e6};
    const Instant now = clock.now();
    const auto real = std::chrono::steady_clock::now() - real_start;
    EXPECT_GE(now, start);
    EXPECT_LE(now - start, real * 1'000'000);
}

TEST(SimulatedClock, sleeps_through_a_day_in_a_fraction_of_a_second) {
    const Instant start = parse_instant("2026-07-01T00:00:00Z");
    SimulatedClock clock{start, 1e6};
    Sleep sleep{clock, start + hours{24}};
    const auto real_start = std::chrono::steady_clock::now();
    sleep.run_to_its_end();
    EXPECT_GE(clock.now(), start + hours{24});
    EXPECT_LT(std::chrono::steady_clock::now() - real_start, seconds{30});
}

TEST(SimulatedClock, stops_at_the_end_of_the_calendar) {
    const Instant last = parse_instant("9999-12-31T23:59:59.999999Z");
    SimulatedClock clock{last, 1e6};
    EXPECT_EQ(clock.now(), last);
    Sleep sleep{clock, last};
    EXPECT_TRUE(sleep.ends_at_once());
}

TEST(SimulatedClock, waits_for_ever_at_the_slowest_rate) {
    SimulatedClock clock{Instant{}, std::numeric_limits<double>::denorm_min()};
    Sleep sleep{clock, Instant::max()};
    ASSERT_FALSE(sleep.ends_at_once());
    sleep.cancel();
    sleep.run_to_its_end();
    EXPECT_EQ(sleep.error(), asio::error::operation_aborted);
}

TEST(SimulatedClock, refuses_a_rate_that_is_none) {
    for (const double rate :
         {0.0, -1.0, 1e6 + 1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_THROW((SimulatedClock{Instant{}, rate}), std::invalid_argument) << rate;
    }
}

}  // namespace
}  // namespace heiasync::core
