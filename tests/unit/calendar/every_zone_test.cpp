// Holds the calendar against a walk along the time line, half a minute at a step, in every zone of the tz database: the
// walk knows nothing but the offset from UTC that holds at an instant.

#include "calendar/calendar.hpp"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

namespace heiasync::calendar {
namespace {

using core::Date;
using core::Instant;
using date::days;
using date::local_days;
using date::local_seconds;
using date::sys_days;
using date::sys_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds step{30};
constexpr sys_days first_day{date::year{1970} / 1 / 5};
constexpr sys_days last_day{date::year{2037} / 12 / 20};

using Span = std::pair<sys_seconds, seconds>;  // since when, and the offset

std::vector<Span> spans_of(const date::time_zone& zone) {
    std::vector<Span> spans;
    for (sys_seconds at = first_day - days{4}; at < last_day + days{4};) {
        const date::sys_info info = zone.get_info(at);
        spans.emplace_back(at, info.offset);
        at = info.end;
    }
    return spans;
}

/// The local time at every step of some days.
class Walk {
public:
    Walk(const std::vector<Span>& spans, sys_seconds begin, sys_seconds end) : begin_{begin} {
        auto span = std::upper_bound(spans.begin(), spans.end(), begin,
                                     [](sys_seconds at, const Span& candidate) { return at < candidate.first; });
        locals_.reserve(static_cast<std::size_t>((end - begin) / step));
        visits_.resize(locals_.capacity() + 2 * static_cast<std::size_t>(margin / step));
        for (sys_seconds at = begin; at < end; at += step) {
            while (span != spans.end() && span->first <= at) {
                ++span;
            }
            const local_seconds local = local_seconds{at.time_since_epoch()} + std::prev(span)->second;
            Visit& visit = visits_.at(index(local));
            if (visit.count++ == 0) {
                visit.first = locals_.size();
            }
            locals_.push_back(static_cast<std::uint32_t>(index(local)));
        }
    }

    [[nodiscard]] std::optional<Slot> slot_of(Date date, minutes daily_at) const {
        const std::size_t wanted = index(local_days{date} + daily_at);
        const Visit& visit = visits_.at(wanted);
        if (visit.count > 0) {
            return Slot{date, at(visit.first), visit.count > 1 ? Shift::overlap : Shift::none};
        }
        const auto gap =
            std::adjacent_find(locals_.begin(), locals_.end(),
                               [wanted](std::size_t one, std::size_t next) { return one < wanted && wanted < next; });
        const auto after = static_cast<std::size_t>(gap - locals_.begin()) + 1;
        for (const std::size_t candidate : {after, after - static_cast<std::size_t>(minutes{1} / step)}) {
            if (is_on(date, locals_.at(candidate))) {
                return Slot{date, at(candidate), Shift::gap};
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] Instant end_of_date(Date date) const {
        const std::size_t midnight = index(local_days{date} + days{1});
        const auto last =
            std::find_if(locals_.rbegin(), locals_.rend(), [midnight](std::size_t local) { return local < midnight; });
        return at(static_cast<std::size_t>(locals_.rend() - last));
    }

    [[nodiscard]] bool has(Date date) const {
        return std::any_of(locals_.begin(), locals_.end(), [&](std::size_t local) { return is_on(date, local); });
    }

private:
    static constexpr days margin{3};

    struct Visit {
        std::size_t first = 0;
        int count = 0;
    };

    [[nodiscard]] std::size_t index(local_seconds local) const {
        return static_cast<std::size_t>((local - local_seconds{begin_.time_since_epoch()} + margin) / step);
    }
    [[nodiscard]] bool is_on(Date date, std::size_t local) const {
        return index(local_days{date}) <= local && local < index(local_days{date} + days{1});
    }
    [[nodiscard]] Instant at(std::size_t position) const { return begin_ + step * position; }

    sys_seconds begin_;
    std::vector<std::uint32_t> locals_;  // by step of the walk: the local time, as an index into visits_
    std::vector<Visit> visits_;          // by local time
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t one_zone_of = 40;  // under a sanitizer the walk takes a hundred times as long
#else
constexpr std::size_t one_zone_of = 1;
#endif

/// One zone of each set of names for the same history; under a sanitizer a sample of them.
std::vector<std::pair<const date::time_zone*, std::vector<Span>>> distinct_zones() {
    std::vector<std::pair<const date::time_zone*, std::vector<Span>>> zones;
    std::set<std::vector<Span>> seen;
    for (const date::time_zone& zone : date::get_tzdb().zones) {
        std::vector<Span> spans = spans_of(zone);
        if (seen.insert(spans).second && seen.size() % one_zone_of == 0) {
            zones.emplace_back(&zone, std::move(spans));
        }
    }
    return zones;
}

/// Times of day worth a look on the dates around a transition: its own, before and after, and both ends of the day.
std::set<minutes> times_of_day_around(const std::vector<Span>& spans, std::size_t index) {
    std::set<minutes> times{minutes{0}, minutes{1}, minutes{270}, minutes{1438}, minutes{1439}};
    for (const seconds offset : {spans[index - 1].second, spans[index].second}) {
        const local_seconds local = local_seconds{spans[index].first.time_since_epoch()} + offset;
        for (const minutes distance : {minutes{-31}, minutes{-1}, minutes{0}, minutes{1}, minutes{29}}) {
            const local_seconds near = local + distance;
            times.insert(date::floor<minutes>(near - date::floor<days>(near)));
        }
    }
    return times;
}

std::set<minutes> every_quarter_of_an_hour() {
    std::set<minutes> times{minutes{1}, minutes{1439}};
    for (minutes time{0}; time < days{1}; time += minutes{15}) {
        times.insert(time);
    }
    return times;
}

void expect_as_walked(const date::time_zone& zone, const Walk& walk, local_days middle, days around,
                      const std::set<minutes>& times) {
    for (local_days day = middle - around; day <= middle + around; day += days{1}) {
        const Date date{day};
        const auto place = [&] { return zone.name() + " " + core::format_date(date); };
        EXPECT_EQ(end_of_date(date, zone), walk.end_of_date(date)) << place();
        EXPECT_EQ(slot_of(date, minutes{0}, zone).has_value(), walk.has(date)) << place();
        for (const minutes time : times) {
            const auto slot = slot_of(date, time, zone);
            EXPECT_EQ(slot, walk.slot_of(date, time)) << place() << ' ' << time.count();
            if (slot) {
                EXPECT_EQ(local_date(slot->at, zone), date) << place() << ' ' << time.count();
                EXPECT_EQ(next_slot(slot->at - std::chrono::microseconds{1}, time, zone), slot) << place();
                EXPECT_EQ(last_slot(slot->at, time, zone), slot) << place();
                EXPECT_LT(last_slot(slot->at - std::chrono::microseconds{1}, time, zone).at, slot->at) << place();
            }
        }
    }
}

TEST(EveryZone, has_the_slots_and_ends_of_dates_that_a_walk_finds_around_transitions) {
    for (const auto& [zone, spans] : distinct_zones()) {
        for (std::size_t index = 1; index < spans.size(); ++index) {
            const sys_seconds transition = spans[index].first;
            ASSERT_EQ(transition.time_since_epoch() % step, seconds{0}) << zone->name();
            ASSERT_EQ(spans[index].second % step, seconds{0}) << zone->name();
            if (transition < first_day || transition > last_day || spans[index].second == spans[index - 1].second) {
                continue;
            }
            const Walk walk{spans, transition - days{3}, transition + days{3}};
            const auto day = date::floor<days>(local_seconds{transition.time_since_epoch()} + spans[index].second);
            expect_as_walked(*zone, walk, day, days{1}, times_of_day_around(spans, index));
        }
    }
}

TEST(EveryZone, has_the_slots_and_ends_of_dates_that_a_walk_finds_every_half_year) {
    for (const auto& [zone, spans] : distinct_zones()) {
        for (sys_days day = first_day; day < last_day; day += days{183}) {
            const Walk walk{spans, day - days{2}, day + days{3}};
            expect_as_walked(*zone, walk, local_days{day.time_since_epoch()}, days{0},
                             {minutes{0}, minutes{270}, minutes{1439}});
        }
    }
}

TEST(EveryZone, has_a_slot_on_every_date_but_the_skipped_ones_and_no_date_twice) {
    for (const auto& [zone, spans] : distinct_zones()) {
        Slot slot = next_slot(sys_days{date::year{2024} / 1 / 1}, minutes{30}, *zone);
        for (int count = 0; count < 800; ++count) {
            const Slot next = next_slot(slot.at, minutes{30}, *zone);
            ASSERT_EQ(sys_days{next.date} - sys_days{slot.date}, days{1}) << zone->name();
            slot = next;
        }
    }
}

// Takes minutes: every date of every zone, at every quarter of an hour.
TEST(EveryZone, has_the_slots_and_ends_of_dates_that_a_walk_finds_on_every_date) {
    if (std::getenv("HEIASYNC_LONG_TESTS") == nullptr) {  // NOLINT(concurrency-mt-unsafe)
        GTEST_SKIP() << "set HEIASYNC_LONG_TESTS to run it";
    }
    const std::set<minutes> times = every_quarter_of_an_hour();
    for (const auto& [zone, spans] : distinct_zones()) {
        for (sys_days day = first_day; day < last_day; day += days{1}) {
            const Walk walk{spans, day - days{2}, day + days{3}};
            expect_as_walked(*zone, walk, local_days{day.time_since_epoch()}, days{0}, times);
        }
    }
}

}  // namespace
}  // namespace heiasync::calendar
