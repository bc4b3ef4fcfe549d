#include "core/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>

namespace heiasync::core {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// The timers below run on the monotonic clock, which knows nothing of a stepped wall clock or of a suspended machine.
// Looking again this often bounds how late either is noticed.
constexpr microseconds longest_nap = std::chrono::minutes{1};

constexpr Instant end_of_time = date::sys_days{date::year{9999} / 12 / 31} + std::chrono::days{1} - microseconds{1};

boost::asio::awaitable<void> nap(microseconds length) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    timer.expires_after(std::min(length, longest_nap));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

Instant SystemClock::now() const {
    return date::floor<microseconds>(std::chrono::system_clock::now());
}

boost::asio::awaitable<void> SystemClock::sleep_until(Instant instant) {
    for (Instant current = now(); current < instant; current = now()) {
        co_await nap(instant - current);
    }
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

}  // namespace heiasync::core
