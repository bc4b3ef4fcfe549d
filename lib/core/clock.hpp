#pragma once

#include "core/instant.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>

namespace heiasync::core {

/// Where the time of day comes from. Every stored time and every wait for a wall-clock instant goes through one of
/// these, so that tests and rehearsals decide what time it is.
class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// May be called on any thread.
    [[nodiscard]] virtual Instant now() const = 0;

    /// Returns once now() has reached `instant`; at once where it has already. Ends with operation_aborted when
    /// cancelled.
    virtual boost::asio::awaitable<void> sleep_until(Instant instant) = 0;

    /// The same for one who decides anew when it returns: it may do so before, once the clock was stepped or the
    /// machine was suspended.
    virtual boost::asio::awaitable<void> nap_until(Instant instant) { return sleep_until(instant); }
};

/// The machine's clock. A step, a suspend and a resume are noticed at once.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override;
    boost::asio::awaitable<void> sleep_until(Instant instant) override;
    boost::asio::awaitable<void> nap_until(Instant instant) override;
};

/// The calendar of a rehearsal: starts at `start` when constructed and runs `rate` times as fast as real time.
class SimulatedClock final : public Clock {
public:
    /// Throws std::invalid_argument unless 0 < rate <= 1e6.
    explicit SimulatedClock(Instant start, double rate = 1.0);

    [[nodiscard]] Instant now() const override;
    boost::asio::awaitable<void> sleep_until(Instant instant) override;

private:
    Instant start_;
    double rate_;
    std::chrono::steady_clock::time_point began_;
};

/// The calendar of a rehearsal that shows many days: starts at `start` when constructed, runs with real time, and leaps
/// to every instant that is waited for.
class JumpingClock final : public Clock {
public:
    explicit JumpingClock(Instant start);

    [[nodiscard]] Instant now() const override;
    boost::asio::awaitable<void> sleep_until(Instant instant) override;

private:
    std::atomic<Instant> start_;
    std::chrono::steady_clock::time_point began_;
};

}  // namespace heiasync::core
