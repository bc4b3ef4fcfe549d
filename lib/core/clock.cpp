#include "core/clock.hpp"

#include <sys/timerfd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace heiasync::core {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// A steady timer knows nothing of a suspended machine: looking again this often bounds how late that is noticed.
constexpr microseconds longest_nap = std::chrono::minutes{1};

constexpr Instant end_of_time = date::sys_days{date::year{9999} / 12 / 31} + std::chrono::days{1} - microseconds{1};

boost::asio::awaitable<void> nap(microseconds length) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    timer.expires_after(std::min(length, longest_nap));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

/// A timer that is due at an instant of the machine's clock, and at once when that clock is set.
int arm_wall_clock_timer(Instant instant) {
    const int descriptor = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    const auto since_epoch = instant.time_since_epoch();
    const auto seconds = date::floor<std::chrono::seconds>(since_epoch);
    itimerspec due{};
    due.it_value.tv_sec = seconds.count();
    due.it_value.tv_nsec = std::chrono::nanoseconds{since_epoch - seconds}.count();
    if (descriptor < 0 ||
        ::timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due, nullptr) != 0) {
        throw std::system_error{errno, std::generic_category(), "a timer of the wall clock"};
    }
    return descriptor;
}

}  // namespace

Instant SystemClock::now() const {
    return date::floor<microseconds>(std::chrono::system_clock::now());
}

boost::asio::awaitable<void> SystemClock::sleep_until(Instant instant) {
    while (now() < instant) {
        co_await nap_until(instant);
    }
}

boost::asio::awaitable<void> SystemClock::nap_until(Instant instant) {
    if (now() >= instant) {
        co_return;
    }
    boost::asio::posix::stream_descriptor timer{co_await boost::asio::this_coro::executor,
                                                arm_wall_clock_timer(instant)};
    co_await timer.async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
}

SimulatedClock::SimulatedClock(Instant start, double rate) : start_{start}, rate_{rate}, began_{steady_clock::now()} {
    if (!(rate > 0 && rate <= 1e6)) {
        throw std::invalid_argument{"the rate of a simulated clock is above 0 and at most 1000000"};
    }
}

Instant SimulatedClock::now() const {
    using Simulated = std::chrono::duration<double, std::micro>;
    const Simulated passed = Simulated{steady_clock::now() - began_} * rate_;
    const Simulated left{end_of_time - start_};
    return passed < left ? start_ + duration_cast<microseconds>(passed) : end_of_time;
}

boost::asio::awaitable<void> SimulatedClock::sleep_until(Instant instant) {
    using Real = std::chrono::duration<double, std::micro>;
    for (Instant current = now(); current < instant; current = now()) {
        const Real wait = std::min<Real>(Real{instant - current} / rate_, longest_nap);
        co_await nap(std::chrono::ceil<microseconds>(wait));
    }
}

JumpingClock::JumpingClock(Instant start) : start_{start}, began_{steady_clock::now()} {}

Instant JumpingClock::now() const {
    const auto passed = duration_cast<microseconds>(steady_clock::now() - began_);
    const Instant start = start_;
    return passed < end_of_time - start ? start + passed : end_of_time;
}

boost::asio::awaitable<void> JumpingClock::sleep_until(Instant instant) {
    // Others have a turn, and a cancellation is noticed.
    co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
    start_ = start_.load() + std::max(instant - now(), microseconds{0});
}

}  // namespace heiasync::core
