#include "calendar/calendar.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace heiasync::calendar {
namespace {

using core::Date;
using core::Instant;
using date::days;
using date::local_days;
using date::local_info;
using date::local_seconds;
using date::sys_days;
using date::sys_seconds;
using std::chrono::minutes;

sys_seconds to_utc(local_seconds local, const date::sys_info& info) {
    return sys_seconds{local.time_since_epoch() - info.offset};
}

/// For a local time that the zone skips: the first instant after the gap, or the last minute before it, whichever is
/// still that date. Neither is where the whole date is skipped.
std::optional<Instant> beside_gap(Date date, sys_seconds transition, const date::time_zone& zone) {
    for (const Instant candidate : {Instant{transition}, Instant{transition - minutes{1}}}) {
        if (local_date(candidate, zone) == date) {
            return candidate;
        }
    }
    return std::nullopt;
}

void require_period_length(int months) {
    if (months < 1 || months > 12 || 12 % months != 0) {
        throw std::invalid_argument{"a reporting period has 1, 2, 3, 4, 6 or 12 months"};
    }
}

Date next_day(Date date) {
    return sys_days{date} + days{1};
}

Slot slot_before(const Slot& slot, minutes daily_at, const date::time_zone& zone) {
    for (sys_days day = sys_days{slot.date} - days{1};; day -= days{1}) {
        if (const auto before = slot_of(day, daily_at, zone)) {
            return *before;
        }
    }
}

}  // namespace

const date::time_zone& find_zone(std::string_view name) {
    (void)date::get_tzdb();  // where there is no tz database at all, that is what is said
    try {
        return *date::locate_zone(std::string{name});
    } catch (const std::runtime_error&) {
        throw std::invalid_argument{
            fmt::format("there is no time zone named \"{}\" in the system's tz database", name)};
    }
}

Date local_date(Instant instant, const date::time_zone& zone) {
    return Date{date::floor<days>(zone.to_local(instant))};
}

std::string format_local(Instant instant, const date::time_zone& zone) {
    return date::format("%F %T %Ez", date::make_zoned(&zone, date::floor<std::chrono::seconds>(instant)));
}

std::string iso_local(Instant instant, const date::time_zone& zone) {
    return date::format("%FT%T%Ez", date::make_zoned(&zone, date::floor<std::chrono::seconds>(instant)));
}

std::optional<Slot> slot_of(Date date, minutes daily_at, const date::time_zone& zone) {
    const local_seconds local = local_days{date} + daily_at;
    const local_info info = zone.get_info(local);
    switch (info.result) {
        case local_info::ambiguous:
            return Slot{date, to_utc(local, info.first), Shift::overlap};
        case local_info::nonexistent:
            if (const auto at = beside_gap(date, info.first.end, zone)) {
                return Slot{date, *at, Shift::gap};
            }
            return std::nullopt;
        default:
            return Slot{date, to_utc(local, info.first), Shift::none};
    }
}

Slot next_slot(Instant after, minutes daily_at, const date::time_zone& zone) {
    // From the date before on: after a transition that went back over midnight, the slot may be one of its.
    for (local_days day = local_days{local_date(after, zone)} - days{1};; day += days{1}) {
        const auto slot = slot_of(Date{day}, daily_at, zone);
        if (slot && slot->at > after) {
            return *slot;
        }
    }
}

Slot last_slot(Instant until, minutes daily_at, const date::time_zone& zone) {
    // From the date after on: a transition that goes back over midnight may come after its slot.
    for (local_days day = local_days{local_date(until, zone)} + days{1};; day -= days{1}) {
        const auto slot = slot_of(Date{day}, daily_at, zone);
        if (slot && slot->at <= until) {
            return *slot;
        }
    }
}

Period period_of(Date date, int months) {
    require_period_length(months);
    const int index = (static_cast<int>(static_cast<unsigned>(date.month())) - 1) / months;
    const date::year_month first = date.year() / date::January + date::months{index * months};
    const date::year_month last = first + date::months{months - 1};
    return {first / 1, last / date::last};
}

Period previous(const Period& period, int months) {
    return period_of(sys_days{period.start} - days{1}, months);
}

ReportingPeriods::ReportingPeriods(int months) : lengths_{{date::year::min() / 1 / 1, months}} {
    require_period_length(months);
}

void ReportingPeriods::change(Date on, int months) {
    require_period_length(months);
    if (sys_days{lengths_.back().since} > sys_days{on}) {
        lengths_.pop_back();
    }
    const int before = lengths_.back().months;
    if (months == before) {
        return;
    }
    // Periods of both lengths begin where those of their least common multiple do; of 4 and 6 months, with the year.
    const int common = std::lcm(months, before);
    lengths_.push_back({next_day(period_of(on, common).end), months});
}

Period ReportingPeriods::containing(Date date) const {
    const auto length = std::find_if(lengths_.rbegin(), lengths_.rend(),
                                     [date](const Length& candidate) { return candidate.since <= date; });
    return period_of(date, length->months);
}

Period ReportingPeriods::previous(const Period& period) const {
    return containing(sys_days{period.start} - days{1});
}

Instant end_of_date(Date date, const date::time_zone& zone) {
    const local_seconds midnight = local_days{date} + days{1};
    const local_info info = zone.get_info(midnight);
    if (info.result == local_info::nonexistent) {
        return info.first.end;
    }
    // A transition that goes back to midnight exactly repeats a part of the next date; one that goes back over it
    // repeats a part of this one.
    const bool comes_back = info.result == local_info::ambiguous && to_utc(midnight, info.second) > info.second.begin;
    return to_utc(midnight, comes_back ? info.second : info.first);
}

Instant closed_at(const Period& period, const date::time_zone& schedule_zone, const date::time_zone& api_zone) {
    return std::max({end_of_date(period.end, schedule_zone), end_of_date(period.end, api_zone),
                     Instant{sys_days{next_day(period.end)}}});
}

int days_late(const Period& period, Date run_on) {
    return static_cast<int>((sys_days{run_on} - sys_days{next_day(period.end)}).count());
}

std::vector<Period> due_periods(Instant now, Date run_on, const ReportingPeriods& periods, int max_days_late,
                                const date::time_zone& schedule_zone, const date::time_zone& api_zone) {
    std::vector<Period> due;
    Period period = periods.previous(periods.containing(run_on));
    for (; days_late(period, run_on) <= max_days_late; period = periods.previous(period)) {
        if (closed_at(period, schedule_zone, api_zone) <= now) {
            due.push_back(period);
        }
    }
    std::reverse(due.begin(), due.end());
    return due;
}

std::vector<Firing> firings(Instant after, int count, minutes daily_at, int months,
                            const date::time_zone& schedule_zone, const date::time_zone& api_zone) {
    std::vector<Firing> result;
    Slot slot = next_slot(after, daily_at, schedule_zone);
    Instant before = slot_before(slot, daily_at, schedule_zone).at;
    while (static_cast<int>(result.size()) < count) {
        Firing& firing = result.emplace_back(Firing{slot, {}});
        Period period = period_of(slot.date, months);
        for (Instant closed = closed_at(period, schedule_zone, api_zone); closed > before;
             closed = closed_at(period, schedule_zone, api_zone)) {
            if (closed <= slot.at) {
                firing.periods.insert(firing.periods.begin(), period);
            }
            period = previous(period, months);
        }
        before = slot.at;
        slot = next_slot(before, daily_at, schedule_zone);
    }
    return result;
}

}  // namespace heiasync::calendar
