#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace heiasync::service {

/// Whether a part of the daemon turns: it says within how long it will check in again, and is late where it does not.
/// In real time.
class CheckIn {
public:
    using Clock = std::chrono::steady_clock;

    explicit CheckIn(std::string_view part) : part_{part} {}

    /// It turned just now, and does so again within this.
    void again_within(Clock::duration limit, Clock::time_point now = Clock::now()) { due_ = now + limit; }
    /// Nothing is expected of it.
    void rests() { due_.reset(); }

    [[nodiscard]] bool is_late(Clock::time_point now = Clock::now()) const { return due_ && now > *due_; }
    [[nodiscard]] std::string_view part() const { return part_; }

private:
    std::string_view part_;
    std::optional<Clock::time_point> due_;
};

/// The parts that could stand still without anybody noticing. The event loop is none of them: who asks here does so on
/// it, so it turns.
struct CheckIns {
    CheckIn scheduler{"the scheduler"};  ///< while it waits; what it has others do is checked with them
    CheckIn database{"the database thread"};
    CheckIn request{"a request, beyond its deadline"};

    /// The parts that are late.
    [[nodiscard]] std::vector<std::string_view> late(CheckIn::Clock::time_point now = CheckIn::Clock::now()) const {
        std::vector<std::string_view> parts;
        for (const CheckIn* part : {&scheduler, &database, &request}) {
            if (part->is_late(now)) {
                parts.push_back(part->part());
            }
        }
        return parts;
    }
};

}  // namespace heiasync::service
