#include "calendar/calendar.hpp"

#include <date/tz.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <stdexcept>

namespace heiasync::calendar {

// How GoogleTest prints them.
void PrintTo(Shift shift, std::ostream* stream) {
    *stream << (shift == Shift::none ? "none" : shift == Shift::gap ? "gap" : "overlap");
}
void PrintTo(const Slot& slot, std::ostream* stream) {
    *stream << core::format_date(slot.date) << " at " << core::format_instant(slot.at) << ", shift ";
    PrintTo(slot.shift, stream);
}
void PrintTo(const Period& period, std::ostream* stream) {
    *stream << core::format_date(period.start) << " to " << core::format_date(period.end);
}

namespace {

using core::parse_date;
using core::parse_instant;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

const date::time_zone& zone(std::string_view name) {
    return find_zone(name);
}

Slot slot(std::string_view date, std::string_view at, Shift shift = Shift::none) {
    return {parse_date(date), parse_instant(at), shift};
}

Period period(std::string_view start, std::string_view end) {
    return {parse_date(start), parse_date(end)};
}

constexpr minutes half_past_three = hours{3} + minutes{30};
constexpr minutes half_past_four = hours{4} + minutes{30};

TEST(Zone, that_does_not_exist_is_refused_by_name) {
    EXPECT_THAT([] { (void)find_zone("Europe/Helsingfors"); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("\"Europe/Helsingfors\"")));
    EXPECT_THROW((void)find_zone(""), std::invalid_argument);
    EXPECT_THROW((void)find_zone("../../etc/passwd"), std::invalid_argument);
    EXPECT_EQ(find_zone("Europe/Helsinki").name(), "Europe/Helsinki");
}

TEST(LocalDate, is_that_of_the_zone) {
    const core::Instant instant = parse_instant("2026-06-30T21:00:00Z");
    EXPECT_EQ(local_date(instant, zone("Europe/Helsinki")), parse_date("2026-07-01"));
    EXPECT_EQ(local_date(instant - std::chrono::microseconds{1}, zone("Europe/Helsinki")), parse_date("2026-06-30"));
    EXPECT_EQ(local_date(instant, zone("UTC")), parse_date("2026-06-30"));
}

TEST(LocalTime, is_printed_with_its_offset) {
    EXPECT_EQ(format_local(parse_instant("2026-07-01T01:30:00.9Z"), zone("Europe/Helsinki")),
              "2026-07-01 04:30:00 +03:00");
    EXPECT_EQ(format_local(parse_instant("2026-01-01T00:00:00Z"), zone("America/St_Johns")),
              "2025-12-31 20:30:00 -03:30");
}

TEST(Slot, is_daily_at_in_the_zone) {
    EXPECT_EQ(slot_of(parse_date("2026-07-01"), half_past_four, zone("Europe/Helsinki")),
              slot("2026-07-01", "2026-07-01T01:30:00Z"));
    EXPECT_EQ(slot_of(parse_date("2026-12-01"), half_past_four, zone("Europe/Helsinki")),
              slot("2026-12-01", "2026-12-01T02:30:00Z"));
}

TEST(Slot, that_the_zone_skips_means_the_first_instant_after_the_gap) {
    EXPECT_EQ(slot_of(parse_date("2026-03-29"), half_past_three, zone("Europe/Helsinki")),
              slot("2026-03-29", "2026-03-29T01:00:00Z", Shift::gap));
    EXPECT_EQ(slot_of(parse_date("2026-03-29"), hours{3}, zone("Europe/Helsinki")),
              slot("2026-03-29", "2026-03-29T01:00:00Z", Shift::gap));
    EXPECT_EQ(slot_of(parse_date("2026-03-29"), hours{4}, zone("Europe/Helsinki")),
              slot("2026-03-29", "2026-03-29T01:00:00Z", Shift::none));
}

TEST(Slot, that_happens_twice_means_the_first) {
    EXPECT_EQ(slot_of(parse_date("2026-10-25"), half_past_three, zone("Europe/Helsinki")),
              slot("2026-10-25", "2026-10-25T00:30:00Z", Shift::overlap));
    EXPECT_EQ(slot_of(parse_date("2026-10-25"), hours{4}, zone("Europe/Helsinki")),
              slot("2026-10-25", "2026-10-25T02:00:00Z", Shift::none));
}

// Greenland, since 2023: at 22:00 local time of that Saturday the clocks go forward... before midnight, swallowing its
// end.
TEST(Slot, in_a_gap_that_swallows_the_end_of_the_date_means_the_last_minute_before_it) {
    EXPECT_EQ(slot_of(parse_date("2025-03-29"), hours{23} + minutes{30}, zone("America/Nuuk")),
              slot("2025-03-29", "2025-03-30T00:59:00Z", Shift::gap));
    EXPECT_EQ(slot_of(parse_date("2025-03-29"), hours{22} + minutes{59}, zone("America/Nuuk")),
              slot("2025-03-29", "2025-03-30T00:59:00Z", Shift::none));
}

TEST(Slot, of_a_date_that_the_zone_skips_is_none) {
    EXPECT_EQ(slot_of(parse_date("2011-12-30"), half_past_four, zone("Pacific/Apia")), std::nullopt);
    EXPECT_EQ(slot_of(parse_date("2011-12-30"), minutes{0}, zone("Pacific/Apia")), std::nullopt);
    EXPECT_EQ(slot_of(parse_date("1993-08-21"), half_past_four, zone("Pacific/Kwajalein")), std::nullopt);
    EXPECT_EQ(slot_of(parse_date("1994-12-31"), half_past_four, zone("Pacific/Tarawa"))->shift, Shift::none);
    EXPECT_EQ(slot_of(parse_date("1994-12-31"), half_past_four, zone("Pacific/Kiritimati")), std::nullopt);
}

// Newfoundland went back at 00:01 until 2011: the date before came twice.
TEST(Slot, just_after_midnight_is_the_first_one_though_the_date_before_comes_back) {
    EXPECT_EQ(slot_of(parse_date("2010-11-07"), minutes{0}, zone("America/St_Johns")),
              slot("2010-11-07", "2010-11-07T02:30:00Z", Shift::overlap));
    EXPECT_EQ(slot_of(parse_date("2010-11-06"), hours{23} + minutes{30}, zone("America/St_Johns")),
              slot("2010-11-06", "2010-11-07T02:00:00Z", Shift::overlap));
}

TEST(NextSlot, is_strictly_after) {
    const auto& helsinki = zone("Europe/Helsinki");
    const core::Instant at = parse_instant("2026-07-01T01:30:00Z");
    EXPECT_EQ(next_slot(at - std::chrono::microseconds{1}, half_past_four, helsinki),
              slot("2026-07-01", "2026-07-01T01:30:00Z"));
    EXPECT_EQ(next_slot(at, half_past_four, helsinki), slot("2026-07-02", "2026-07-02T01:30:00Z"));
}

TEST(LastSlot, is_at_or_before) {
    const auto& helsinki = zone("Europe/Helsinki");
    const core::Instant at = parse_instant("2026-07-01T01:30:00Z");
    EXPECT_EQ(last_slot(at, half_past_four, helsinki), slot("2026-07-01", "2026-07-01T01:30:00Z"));
    EXPECT_EQ(last_slot(at - std::chrono::microseconds{1}, half_past_four, helsinki),
              slot("2026-06-30", "2026-06-30T01:30:00Z"));
}

TEST(LastSlot, goes_back_over_a_skipped_date) {
    EXPECT_EQ(last_slot(parse_instant("2011-12-30T14:00:00Z"), half_past_four, zone("Pacific/Apia")),
              slot("2011-12-29", "2011-12-29T14:30:00Z"));
}

TEST(LastSlot, may_be_of_a_date_that_comes_back_later) {
    EXPECT_EQ(last_slot(parse_instant("2010-11-07T02:45:00Z"), minutes{0}, zone("America/St_Johns")),
              slot("2010-11-07", "2010-11-07T02:30:00Z", Shift::overlap));
}

TEST(NextSlot, goes_over_a_skipped_date) {
    EXPECT_EQ(next_slot(parse_instant("2011-12-29T14:30:00Z"), half_past_four, zone("Pacific/Apia")),
              slot("2011-12-31", "2011-12-30T14:30:00Z"));
}

TEST(NextSlot, comes_once_where_it_happens_twice) {
    const auto& helsinki = zone("Europe/Helsinki");
    const Slot first = next_slot(parse_instant("2026-10-24T12:00:00Z"), half_past_three, helsinki);
    EXPECT_EQ(first, slot("2026-10-25", "2026-10-25T00:30:00Z", Shift::overlap));
    EXPECT_EQ(next_slot(first.at, half_past_three, helsinki), slot("2026-10-26", "2026-10-26T01:30:00Z"));
}

TEST(NextSlot, does_not_come_again_when_the_date_does) {
    EXPECT_EQ(next_slot(parse_instant("2010-11-07T02:45:00Z"), minutes{0}, zone("America/St_Johns")),
              slot("2010-11-08", "2010-11-08T03:30:00Z"));
}

TEST(Period, is_counted_from_january) {
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 1), period("2026-07-01", "2026-07-31"));
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 2), period("2026-07-01", "2026-08-31"));
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 3), period("2026-07-01", "2026-09-30"));
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 4), period("2026-05-01", "2026-08-31"));
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 6), period("2026-07-01", "2026-12-31"));
    EXPECT_EQ(period_of(parse_date("2026-07-14"), 12), period("2026-01-01", "2026-12-31"));
    EXPECT_EQ(period_of(parse_date("2028-02-29"), 1), period("2028-02-01", "2028-02-29"));
    EXPECT_EQ(period_of(parse_date("2026-12-31"), 2), period("2026-11-01", "2026-12-31"));
}

TEST(Period, of_another_length_is_refused) {
    for (const int months : {-1, 0, 5, 7, 13, 24}) {
        EXPECT_THROW((void)period_of(parse_date("2026-07-14"), months), std::invalid_argument) << months;
    }
}

TEST(Period, follows_the_one_before_without_a_hole) {
    for (const int months : {1, 2, 3, 4, 6, 12}) {
        Period later = period_of(parse_date("2029-01-15"), months);
        while (later.start > parse_date("2023-01-01")) {
            const Period earlier = previous(later, months);
            EXPECT_EQ(date::sys_days{earlier.end} + date::days{1}, date::sys_days{later.start});
            EXPECT_EQ(period_of(earlier.start, months), earlier);
            EXPECT_EQ(period_of(earlier.end, months), earlier);
            later = earlier;
        }
    }
}

TEST(Period, before_one_of_another_length_ends_where_that_starts) {
    EXPECT_EQ(previous(period("2026-05-01", "2026-05-31"), 1), period("2026-04-01", "2026-04-30"));
    EXPECT_EQ(previous(period("2026-05-01", "2026-05-31"), 3), period("2026-04-01", "2026-06-30"));
}

TEST(ReportingPeriods, of_another_length_count_from_the_first_common_boundary_after_the_change) {
    ReportingPeriods periods{1};
    periods.change(parse_date("2026-05-10"), 3);
    EXPECT_EQ(periods.containing(parse_date("2026-05-31")), period("2026-05-01", "2026-05-31"));
    EXPECT_EQ(periods.containing(parse_date("2026-06-30")), period("2026-06-01", "2026-06-30"));
    EXPECT_EQ(periods.containing(parse_date("2026-07-01")), period("2026-07-01", "2026-09-30"));
    periods.change(parse_date("2026-08-01"), 1);
    EXPECT_EQ(periods.containing(parse_date("2026-09-01")), period("2026-07-01", "2026-09-30"));
    EXPECT_EQ(periods.containing(parse_date("2026-10-01")), period("2026-10-01", "2026-10-31"));
    EXPECT_EQ(periods.containing(parse_date("2026-04-15")), period("2026-04-01", "2026-04-30"));
}

TEST(ReportingPeriods, changed_on_a_boundary_count_from_the_next_one) {
    ReportingPeriods periods{3};
    periods.change(parse_date("2026-07-01"), 1);
    EXPECT_EQ(periods.containing(parse_date("2026-07-01")), period("2026-07-01", "2026-09-30"));
    EXPECT_EQ(periods.containing(parse_date("2026-10-01")), period("2026-10-01", "2026-10-31"));
}

TEST(ReportingPeriods, whose_change_is_taken_back_in_time_stay_as_they_were) {
    ReportingPeriods periods{4};
    periods.change(parse_date("2026-02-01"), 6);
    periods.change(parse_date("2026-03-01"), 4);
    EXPECT_EQ(periods.containing(parse_date("2027-01-01")), period("2027-01-01", "2027-04-30"));
    periods.change(parse_date("2026-03-02"), 6);
    EXPECT_EQ(periods.containing(parse_date("2026-07-01")), period("2026-05-01", "2026-08-31"));
    EXPECT_EQ(periods.containing(parse_date("2027-01-01")), period("2027-01-01", "2027-06-30"));
}

TEST(ReportingPeriods, never_overlap_and_leave_no_date_out) {
    constexpr std::array lengths{1, 2, 3, 4, 6, 12};
    for (const int before : lengths) {
        for (const int after : lengths) {
            ReportingPeriods periods{before};
            periods.change(parse_date("2026-05-10"), after);
            date::sys_days day = date::sys_days{parse_date("2025-01-01")};
            while (day < date::sys_days{parse_date("2029-01-01")}) {
                const auto here = periods.containing(day);
                ASSERT_EQ(date::sys_days{here.start}, day) << before << " to " << after;
                day = date::sys_days{here.end} + date::days{1};
            }
        }
    }
}

TEST(EndOfDate, is_the_next_midnight) {
    EXPECT_EQ(end_of_date(parse_date("2026-06-30"), zone("Europe/Helsinki")), parse_instant("2026-06-30T21:00:00Z"));
    EXPECT_EQ(end_of_date(parse_date("2026-03-29"), zone("Europe/Helsinki")), parse_instant("2026-03-29T21:00:00Z"));
}

TEST(EndOfDate, where_midnight_is_skipped_is_the_end_of_the_gap) {
    EXPECT_EQ(end_of_date(parse_date("2025-03-29"), zone("America/Nuuk")), parse_instant("2025-03-30T01:00:00Z"));
    EXPECT_EQ(end_of_date(parse_date("2018-11-03"), zone("America/Sao_Paulo")), parse_instant("2018-11-04T03:00:00Z"));
}

TEST(EndOfDate, before_a_skipped_date_is_the_beginning_of_the_one_after) {
    EXPECT_EQ(end_of_date(parse_date("2011-12-29"), zone("Pacific/Apia")), parse_instant("2011-12-30T10:00:00Z"));
    EXPECT_EQ(end_of_date(parse_date("2011-12-30"), zone("Pacific/Apia")), parse_instant("2011-12-30T10:00:00Z"));
}

TEST(EndOfDate, before_a_date_whose_first_hour_comes_twice_is_the_first_midnight) {
    EXPECT_EQ(end_of_date(parse_date("2025-11-01"), zone("America/Havana")), parse_instant("2025-11-02T04:00:00Z"));
}

TEST(EndOfDate, that_comes_back_is_the_last_of_them) {
    EXPECT_EQ(end_of_date(parse_date("2010-11-06"), zone("America/St_Johns")), parse_instant("2010-11-07T03:30:00Z"));
}

TEST(ClosedAt, waits_for_both_zones_and_for_utc) {
    const Period june = period("2026-06-01", "2026-06-30");
    const auto& helsinki = zone("Europe/Helsinki");
    const auto& los_angeles = zone("America/Los_Angeles");
    EXPECT_EQ(closed_at(june, helsinki, helsinki), parse_instant("2026-07-01T00:00:00Z"));
    EXPECT_EQ(closed_at(june, helsinki, los_angeles), parse_instant("2026-07-01T07:00:00Z"));
    EXPECT_EQ(closed_at(june, los_angeles, helsinki), parse_instant("2026-07-01T07:00:00Z"));
}

TEST(Firings, pull_what_closed_since_the_slot_before) {
    const auto next = firings(parse_instant("2026-06-29T12:00:00Z"), 4, half_past_four, 1, zone("Europe/Helsinki"),
                              zone("Europe/Helsinki"));
    ASSERT_EQ(next.size(), 4);
    EXPECT_EQ(next[0].slot, slot("2026-06-30", "2026-06-30T01:30:00Z"));
    EXPECT_THAT(next[0].periods, IsEmpty());
    EXPECT_EQ(next[1].slot, slot("2026-07-01", "2026-07-01T01:30:00Z"));
    EXPECT_THAT(next[1].periods, ElementsAre(period("2026-06-01", "2026-06-30")));
    EXPECT_THAT(next[2].periods, IsEmpty());
    EXPECT_THAT(next[3].periods, IsEmpty());
}

TEST(Firings, wait_for_the_last_zone_in_which_the_period_ends) {
    const auto next = firings(parse_instant("2026-06-30T00:00:00Z"), 3, minutes{0}, 1, zone("Pacific/Kiritimati"),
                              zone("America/Los_Angeles"));
    EXPECT_EQ(next[0].slot.date, parse_date("2026-07-01"));
    EXPECT_THAT(next[0].periods, IsEmpty());
    EXPECT_EQ(next[1].slot.date, parse_date("2026-07-02"));
    EXPECT_THAT(next[1].periods, ElementsAre(period("2026-06-01", "2026-06-30")));
    EXPECT_THAT(next[2].periods, IsEmpty());
}

TEST(Firings, go_over_a_date_that_the_zone_skips) {
    const auto next = firings(parse_instant("2011-12-29T15:00:00Z"), 3, half_past_four, 1, zone("Pacific/Apia"),
                              zone("Pacific/Apia"));
    EXPECT_EQ(next[0].slot.date, parse_date("2011-12-31"));
    EXPECT_EQ(next[1].slot.date, parse_date("2012-01-01"));
    EXPECT_THAT(next[1].periods, IsEmpty()) << "in UTC it is December yet";
    EXPECT_THAT(next[2].periods, ElementsAre(period("2011-12-01", "2011-12-31")));
}

TEST(DaysLate, is_zero_on_the_day_after_the_period) {
    const Period june = period("2026-06-01", "2026-06-30");
    EXPECT_EQ(days_late(june, parse_date("2026-07-01")), 0);
    EXPECT_EQ(days_late(june, parse_date("2026-07-08")), 7);
    EXPECT_EQ(days_late(june, parse_date("2026-06-30")), -1);
}

class DuePeriods : public testing::Test {
protected:
    static std::vector<Period> due(std::string_view now, int months, int max_days_late,
                                   std::string_view schedule_zone = "Europe/Helsinki") {
        const core::Instant instant = parse_instant(now);
        const auto& schedule = zone(schedule_zone);
        return due_periods(instant, local_date(instant, schedule), ReportingPeriods{months}, max_days_late, schedule,
                           zone("Europe/Helsinki"));
    }
    const Period may = period("2026-05-01", "2026-05-31");
    const Period june = period("2026-06-01", "2026-06-30");
};

TEST_F(DuePeriods, are_those_that_have_just_closed) {
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 1, 7), ElementsAre(june));
    EXPECT_THAT(due("2026-07-08T01:30:00Z", 1, 7), ElementsAre(june));
    EXPECT_THAT(due("2026-07-09T01:30:00Z", 1, 7), IsEmpty());
    EXPECT_THAT(due("2026-07-15T01:30:00Z", 1, 7), IsEmpty());
}

TEST_F(DuePeriods, come_oldest_first) {
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 1, 30), ElementsAre(may, june));
}

TEST_F(DuePeriods, are_none_before_the_period_has_closed_everywhere) {
    // 1 July in Helsinki, 30 June in UTC.
    EXPECT_THAT(due("2026-06-30T22:00:00Z", 1, 7), IsEmpty());
    EXPECT_THAT(due("2026-07-01T00:00:00Z", 1, 7), ElementsAre(june));
    // 04:30 on 1 July in Apia is still 30 June at the vendor's.
    EXPECT_THAT(due("2026-06-30T15:30:00Z", 1, 7, "Pacific/Apia"), IsEmpty());
    EXPECT_THAT(due("2026-07-01T15:30:00Z", 1, 7, "Pacific/Apia"), ElementsAre(june));
}

TEST_F(DuePeriods, follow_the_run_date_though_the_run_goes_over_midnight) {
    const auto& helsinki = zone("Europe/Helsinki");
    EXPECT_THAT(due_periods(parse_instant("2026-07-01T00:30:00Z"), parse_date("2026-06-30"), ReportingPeriods{1}, 7,
                            helsinki, helsinki),
                IsEmpty());
}

TEST_F(DuePeriods, take_the_length_of_the_periods) {
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 6, 7), ElementsAre(period("2026-01-01", "2026-06-30")));
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 12, 7), IsEmpty());
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 4, 7), IsEmpty());
}

TEST_F(DuePeriods, with_no_day_to_be_late_are_due_on_the_first_alone) {
    EXPECT_THAT(due("2026-07-01T01:30:00Z", 1, 0), ElementsAre(june));
    EXPECT_THAT(due("2026-07-02T01:30:00Z", 1, 0), IsEmpty());
}

}  // namespace
}  // namespace heiasync::calendar
