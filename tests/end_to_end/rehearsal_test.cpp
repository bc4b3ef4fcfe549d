#include "content.hpp"
#include "daemon.hpp"

#include <date/date.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using date::sys_days;

/// A stretch of a calendar, and what a daemon makes of it.
struct Stretch {
    std::string name;
    std::string zone;
    std::string daily_at;
    std::string first;  ///< a date
    std::string last;
    /// Reporting periods by their last day, and how late they are pulled.
    std::map<std::string, int> periods;
    /// Dates whose slot is at another local time, and dates that do not exist (with an empty time).
    std::map<std::string, std::string> others = {};
    int months = 1;

    friend std::ostream& operator<<(std::ostream& stream, const Stretch& stretch) { return stream << stretch.name; }
};

simulator::Options small_for_a_year() {
    simulator::Options options;
    options.seed = 1;
    options.organisations = 2;
    return options;
}

/// Organisations that are there at every time, 2011 included, and never change.
void make_steady(Installation& installation, std::int64_t organisations) {
    auto& world = installation.api().world();
    for (const auto& organisation : world.organisations(core::parse_instant("2026-12-31T00:00:00Z"))) {
        world.hide(organisation.id);
    }
    simulator::UsageStats figures;
    figures.total_membership_count = 20;
    figures.hh_core_total_membership_count = 15;
    figures.hh_core_accepted_membership_count = 9;
    figures.app_use_count = 100;
    figures.app_monthly_use_count = 10;
    for (std::int64_t number = 1; number <= organisations; ++number) {
        simulator::Organisation organisation;
        organisation.id = 9'000'000 + number;
        organisation.name = "Steady";
        world.add(organisation);
        world.set_stats(organisation.id, "", figures);
    }
}

class Rehearsal : public ::testing::TestWithParam<Stretch> {
protected:
    /// Runs the daemon from the first date to the slot after the last.
    void run() {
        const Stretch& stretch = GetParam();
        installation.config()["schedule"]["time_zone"] = stretch.zone;
        installation.config()["schedule"]["daily_at"] = stretch.daily_at;
        installation.config()["energy_levels"]["reporting_period_months"] = stretch.months;
        make_steady(installation, organisations);
        // Before the first date in any zone; the dates until then are left out below.
        const auto start = sys_days{core::parse_date(stretch.first)} - std::chrono::hours{26};
        Daemon daemon{installation, core::format_instant(start), Daemon::Pace::jump};
        daemon.wait_for(core::format_instant(sys_days{core::parse_date(stretch.last)} + std::chrono::hours{36}));
        const Outcome outcome = daemon.stop();
        if (outcome.err.find("schedule.daily_at: leaves less than six hours") == std::string::npos) {
            EXPECT_EQ(outcome.err, "");
        }
    }

    std::string between() const {
        return fmt::format("run_on BETWEEN '{}' AND '{}'", GetParam().first, GetParam().last);
    }

    static constexpr std::int64_t organisations = 3;
    Installation installation{small_for_a_year()};
};

TEST_P(Rehearsal, HasOneRunADateAndPullsEachPeriodOnce) {
    const Stretch& stretch = GetParam();
    const bool is_a_year = stretch.name.starts_with("Year");
    if (is_a_year && !long_tests()) {
        GTEST_SKIP() << "takes minutes: scripts/test --long";
    }
    const auto begin = std::chrono::steady_clock::now();
    run();
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    if (is_a_year) {
        std::cout << "             a year in " << took.count() << " s\n";
        EXPECT_LT(took, std::chrono::minutes{2});
    }
    std::set<std::string> runs;
    for (sys_days day = core::parse_date(stretch.first); day <= sys_days{core::parse_date(stretch.last)};
         day += date::days{1}) {
        const std::string name = core::format_date(core::Date{day});
        const auto other = stretch.others.find(name);
        const std::string time = other == stretch.others.end() ? stretch.daily_at : other->second;
        if (!time.empty()) {
            runs.insert(fmt::format("{0}|schedule|succeeded|{0} {1}", name, time));
        }
    }
    // PostgreSQL's own calendar says what the local time was.
    EXPECT_EQ(difference(runs, installation.lines(fmt::format(
                                   "SELECT run_on, trigger, status, to_char(scheduled_for AT TIME ZONE '{}', "
                                   "'YYYY-MM-DD HH24:MI') FROM heiasync.sync_runs WHERE {}",
                                   stretch.zone, between()))),
              "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE started_at NOT BETWEEN scheduled_for "
                                 "AND scheduled_for + interval '1 minute' AND " +
                                 between()),
              0);

    std::set<std::string> periods;
    for (const auto& [last_day, days_late] : stretch.periods) {
        const sys_days end{core::parse_date(last_day)};
        periods.insert(fmt::format("{}|{}|{}|{}", last_day, core::format_date(end + date::days{1 + days_late}),
                                   days_late, organisations));
    }
    EXPECT_EQ(difference(periods, installation.lines(
                                      "SELECT period_end, run_on, days_late, count(*) FROM heiasync.energy_levels JOIN "
                                      "heiasync.sync_runs USING (sync_run_id) WHERE " +
                                      between() + " GROUP BY 1, 2, 3")),
              "");
}

INSTANTIATE_TEST_SUITE_P(
    Days, Rehearsal,
    ::testing::Values(
        Stretch{"Helsinki", "Europe/Helsinki", "04:30", "2026-03-26", "2026-04-02", {{"2026-03-31", 0}}},
        Stretch{"HelsinkiInTheGap",
                "Europe/Helsinki",
                "03:30",
                "2026-03-27",
                "2026-04-02",
                {{"2026-03-31", 0}},
                {{"2026-03-29", "04:00"}}},
        Stretch{"HelsinkiAfterMidnight", "Europe/Helsinki", "00:05", "2026-03-28", "2026-04-03", {{"2026-03-31", 1}}},
        Stretch{"HelsinkiInSummerBeforeUtcEnds",
                "Europe/Helsinki",
                "02:30",
                "2026-09-29",
                "2026-10-03",
                {{"2026-09-30", 1}}},
        Stretch{"HelsinkiInWinterAfterUtcEnded",
                "Europe/Helsinki",
                "02:30",
                "2026-10-23",
                "2026-11-02",
                {{"2026-10-31", 0}}},
        Stretch{"HelsinkiBeforeMidnight", "Europe/Helsinki", "23:55", "2026-10-24", "2026-11-02", {{"2026-10-31", 0}}},
        Stretch{"StJohns",
                "America/St_Johns",
                "02:30",
                "2026-02-27",
                "2026-03-09",
                {{"2026-02-28", 0}},
                {{"2026-03-08", "03:00"}}},
        Stretch{"ApiaSkipsADate",
                "Pacific/Apia",
                "04:30",
                "2011-12-27",
                "2012-01-03",
                {{"2011-12-31", 1}},
                {{"2011-12-30", ""}}},
        Stretch{"Casablanca", "Africa/Casablanca", "00:05", "2026-02-13", "2026-03-02", {{"2026-02-28", 0}}},
        Stretch{
            "CasablancaAfterRamadan", "Africa/Casablanca", "00:05", "2026-03-20", "2026-04-03", {{"2026-03-31", 1}}},
        Stretch{"Utc", "UTC", "04:30", "2026-03-30", "2026-04-02", {{"2026-03-31", 0}}},
        Stretch{"ThreeMonths", "UTC", "00:05", "2026-03-30", "2026-04-02", {{"2026-03-31", 0}}, {}, 3},
        Stretch{"NotYetThreeMonths", "UTC", "00:05", "2026-02-27", "2026-03-02", {}, {}, 3}),
    [](const auto& stretch) { return stretch.param.name; });

/// What was a quarter stays one to its end, and the month begins where both do.
TEST(ReportingPeriod, AnotherLengthCountsFromTheNextBoundaryOfBoth) {
    Installation installation{small_for_a_year()};
    make_steady(installation, 2);
    const auto live = [&installation](int months, const std::string& from, const std::string& until) {
        installation.config()["energy_levels"]["reporting_period_months"] = months;
        Daemon daemon{installation, from, Daemon::Pace::jump};
        daemon.wait_for(until);
        daemon.stop();
    };
    live(3, "2026-03-28T12:00:00+02:00", "2026-03-29T12:00:00+03:00");
    live(1, "2026-03-30T12:00:00+03:00", "2026-05-02T12:00:00+03:00");
    EXPECT_EQ(difference({"2026-01-01|2026-03-31|2026-04-01|2", "2026-04-01|2026-04-30|2026-05-01|2"},
                         installation.lines("SELECT period_start, period_end, run_on, count(*) FROM "
                                            "heiasync.energy_levels JOIN heiasync.sync_runs USING (sync_run_id) GROUP "
                                            "BY 1, 2, 3")),
              "");
}

/// The last days of the months of 2026 but December, which no date of the year can pull, and that of December before.
std::map<std::string, int> every_month(int days_late, const std::map<std::string, int>& others = {}) {
    std::map<std::string, int> periods;
    for (const char* last_day : {"2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
                                 "2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30"}) {
        periods[last_day] = days_late;
    }
    for (const auto& [last_day, other] : others) {
        periods[last_day] = other;
    }
    return periods;
}

Stretch year(const std::string& name, const std::string& zone, const std::string& daily_at,
             std::map<std::string, int> periods, std::map<std::string, std::string> others = {}, int months = 1) {
    return {name, zone, daily_at, "2026-01-01", "2026-12-31", std::move(periods), std::move(others), months};
}

/// Those of 2011 but December, and that before.
std::map<std::string, int> every_month_of_2011() {
    std::map<std::string, int> periods;
    for (const auto& [last_day, days_late] : every_month(0)) {
        periods[std::to_string(std::stoi(last_day) - 15) + last_day.substr(4)] = days_late;
    }
    return periods;
}

INSTANTIATE_TEST_SUITE_P(
    Years, Rehearsal,
    ::testing::Values(year("YearInHelsinki", "Europe/Helsinki", "04:30", every_month(0)),
                      year("YearInStJohns", "America/St_Johns", "04:30", every_month(0)),
                      year("YearInApia", "Pacific/Apia", "04:30", every_month(1)),
                      Stretch{"YearInApiaWithoutADate",
                              "Pacific/Apia",
                              "04:30",
                              "2011-01-01",
                              "2011-12-31",
                              every_month_of_2011(),
                              {{"2011-12-30", ""}}},
                      year("YearInCasablanca", "Africa/Casablanca", "04:30", every_month(0)),
                      year("YearInUtc", "UTC", "04:30", every_month(0)),
                      year("YearAfterMidnight", "Europe/Helsinki", "00:05", every_month(1)),
                      year("YearInTheNight", "Europe/Helsinki", "02:30",
                           every_month(0, {{"2026-03-31", 1},
                                           {"2026-04-30", 1},
                                           {"2026-05-31", 1},
                                           {"2026-06-30", 1},
                                           {"2026-07-31", 1},
                                           {"2026-08-31", 1},
                                           {"2026-09-30", 1}})),
                      year("YearBeforeMidnight", "Europe/Helsinki", "23:55", every_month(0)),
                      year("YearOfThreeMonths", "Europe/Helsinki", "04:30",
                           {{"2025-12-31", 0}, {"2026-03-31", 0}, {"2026-06-30", 0}, {"2026-09-30", 0}}, {}, 3),
                      year("YearOfThreeMonthsAfterMidnight", "Europe/Helsinki", "00:05",
                           {{"2025-12-31", 1}, {"2026-03-31", 1}, {"2026-06-30", 1}, {"2026-09-30", 1}}, {}, 3)),
    [](const auto& stretch) { return stretch.param.name; });

}  // namespace

}  // namespace heiasync::testing
