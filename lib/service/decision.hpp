#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "history/day.hpp"
#include "history/sync_runs.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace heiasync::service {

/// What the configuration says of the daily slot.
struct Schedule {
    const date::time_zone* zone = nullptr;
    std::chrono::minutes daily_at{0};
    std::chrono::milliseconds retry_interval{3'600'000};
};

/// The slot of the date that the zone has at `now`, or where it has none, the next one.
calendar::Slot slot_today(core::Instant now, const Schedule& schedule);

/// What to do now.
struct Decision {
    enum class Kind {
        run,
        wait,       ///< until an instant
        look_again  ///< the slot is due, or was, and another process has a run in hand
    };

    Kind kind = Kind::wait;
    history::Trigger trigger = history::Trigger::schedule;  ///< of the run
    std::optional<core::Instant> scheduled_for;             ///< of the run; unset where a manual one is continued
    std::int64_t last_run = 0;                              ///< of the date, as far as this decision knows
    core::Instant until{};                                  ///< of the wait
    core::Instant next_slot{};                              ///< of a wait: the next slot; else that of today

    friend bool operator==(const Decision&, const Decision&) = default;
};

/// Rules 1 and 2 of docs/rules.md: what the state of today, the date that the zone has at `now`, asks for. `awaited` is
/// the slot that was waited for when it came: another one was missed.
Decision decide(const history::DayState& today, core::Instant now, const Schedule& schedule,
                std::optional<core::Instant> awaited);

}  // namespace heiasync::service
