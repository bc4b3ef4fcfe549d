#pragma once

#include "core/clock.hpp"

#include <algorithm>
#include <vector>

namespace heiasync::testing {

/// A clock that stands still. Whoever waits for an instant is there at once, and so is the clock: a test does not
/// sleep, and sees afterwards what was waited for.
class ManualClock final : public core::Clock {
public:
    explicit ManualClock(core::Instant start) : now_{start} {}

    [[nodiscard]] core::Instant now() const override { return now_; }

    boost::asio::awaitable<void> sleep_until(core::Instant instant) override {
        waits_.push_back(instant - now_);
        now_ = std::max(now_, instant);
        co_return;
    }

    void advance(core::Instant::duration by) { now_ += by; }
    void set(core::Instant instant) { now_ = instant; }

    /// How long each wait was, in the order of their beginning.
    [[nodiscard]] const std::vector<core::Instant::duration>& waits() const { return waits_; }

private:
    core::Instant now_;
    std::vector<core::Instant::duration> waits_;
};

}  // namespace heiasync::testing
