#pragma once

#include "core/instant.hpp"

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace date {
class time_zone;
}

/// Civil time, by the rules that decide what is done when. Pure functions on the system's tz database, which is read as
/// far as 2037: later dates have the offset that holds at its end.
namespace heiasync::calendar {

/// A zone of the system's tz database, by its IANA name. Throws std::invalid_argument where there is none of that name.
const date::time_zone& find_zone(std::string_view name);

/// The zone's date at that instant.
core::Date local_date(core::Instant instant, const date::time_zone& zone);

/// The instant's local time with its offset, for people: `2026-07-01 04:30:00 +03:00`.
std::string format_local(core::Instant instant, const date::time_zone& zone);

/// The same as ISO 8601, for programs: `2026-07-01T04:30:00+03:00`.
std::string iso_local(core::Instant instant, const date::time_zone& zone);

enum class Shift {
    none,
    gap,     ///< the zone skips daily_at on that date
    overlap  ///< it happens twice: the first counts
};

/// The one firing of a local date.
struct Slot {
    core::Date date{};
    core::Instant at{};
    Shift shift = Shift::none;

    friend bool operator==(const Slot&, const Slot&) = default;
};

/// The slot of a local date at `daily_at` (since local midnight, below 24 h). A time that the zone skips means the
/// first instant after the gap or, where that is another date, the last minute before it; one that happens twice means
/// the first of the two; a date that the zone skips has none.
std::optional<Slot> slot_of(core::Date date, std::chrono::minutes daily_at, const date::time_zone& zone);

/// The first slot strictly after an instant.
Slot next_slot(core::Instant after, std::chrono::minutes daily_at, const date::time_zone& zone);

/// The last slot at or before an instant.
Slot last_slot(core::Instant until, std::chrono::minutes daily_at, const date::time_zone& zone);

/// A calendar period, both days inclusive.
struct Period {
    core::Date start{};
    core::Date end{};

    friend std::strong_ordering operator<=>(const Period&, const Period&) = default;
};

/// The reporting period of `months` months (1, 2, 3, 4, 6 or 12, counted from January) that contains a date. Throws
/// std::invalid_argument for another number of months, as all below do.
Period period_of(core::Date date, int months);

/// The period of that length that contains the day before `period` starts.
Period previous(const Period& period, int months);

/// Reporting periods whose length was changed now and then. Another length counts from the first date after the change
/// on which periods of both lengths begin, so that no period overlaps another and no date is in none.
class ReportingPeriods {
public:
    /// Months.
    ReportingPeriods() : ReportingPeriods{1} {}
    /// Of one length all the time. Throws std::invalid_argument as period_of() does.
    explicit ReportingPeriods(int months);

    /// Changes are given in the order of their dates, the local ones of the schedule. The same length again takes a
    /// change back that does not count yet.
    void change(core::Date on, int months);

    [[nodiscard]] Period containing(core::Date date) const;
    /// The one that ends the day before another begins.
    [[nodiscard]] Period previous(const Period& period) const;

private:
    struct Length {
        core::Date since{};
        int months = 1;
    };
    std::vector<Length> lengths_;
};

/// The instant from which on the zone's date is later than `date` for good: where a transition goes back over midnight,
/// the second midnight counts; where the zone skips the next date, the first instant after the gap.
core::Instant end_of_date(core::Date date, const date::time_zone& zone);

/// When a period is closed: its last day has ended in each of the zones and in UTC.
core::Instant closed_at(const Period& period, const date::time_zone& schedule_zone, const date::time_zone& api_zone);

/// run_on minus the day after the period's end, in days: 0 on the first possible date.
int days_late(const Period& period, core::Date run_on);

/// The periods that ended before `run_on`, are closed by `now` (the start of the run) and are at most `max_days_late`
/// days late on `run_on`, oldest first.
std::vector<Period> due_periods(core::Instant now, core::Date run_on, const ReportingPeriods& periods,
                                int max_days_late, const date::time_zone& schedule_zone,
                                const date::time_zone& api_zone);

/// A slot and the periods that closed since the slot before it, oldest first: what its run pulls if none before it was
/// missed.
struct Firing {
    Slot slot;
    std::vector<Period> periods;
};

/// The next slots strictly after an instant, with the periods of `months` months that each would pull.
std::vector<Firing> firings(core::Instant after, int count, std::chrono::minutes daily_at, int months,
                            const date::time_zone& schedule_zone, const date::time_zone& api_zone);

}  // namespace heiasync::calendar
