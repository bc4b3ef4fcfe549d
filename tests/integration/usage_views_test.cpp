#include "usage_views_test.hpp"

namespace heiasync::history {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(UsageViewsTest, AGapOfDaysIsToldAndNotFilled) {
    store(2024_y / 2 / 27, {100, 80, 60, 1000, 300});
    store(2024_y / 2 / 28, {101, 80, 59, 1010, 290});
    store(2024_y / 3 / 2, {105, 82, 59, 1050, 310});
    EXPECT_THAT(
        query(fmt::format("SELECT observed_on, observations, previous_observed_on, days_since_previous, {} FROM "
                          "heiasync.usage_stats_daily ORDER BY observed_on",
                          delta_columns)),
        ElementsAre(ElementsAre("2024-02-27", "1", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "f"),
                    ElementsAre("2024-02-28", "1", "2024-02-27", "1", "1", "0", "-1", "10", "-10", "f"),
                    ElementsAre("2024-03-02", "1", "2024-02-28", "3", "4", "2", "0", "40", "20", "f")));
}

TEST_F(UsageViewsTest, AFigureThatIsNotThereHasNoDeltaAndIsNotLookedForFurtherBack) {
    store(2024_y / 5 / 1, {100, 80, 60, 1000, 300});
    store(2024_y / 5 / 2, {none, 81, none, none, none});
    store(2024_y / 5 / 3, {102, 82, 62, 1020, 320});
    EXPECT_THAT(
        query(fmt::format("SELECT previous_observed_on, {}, {} FROM heiasync.usage_stats_daily "
                          "ORDER BY observed_on OFFSET 1",
                          figure_columns, delta_columns)),
        ElementsAre(
            ElementsAre("2024-05-01", "NULL", "81", "NULL", "NULL", "NULL", "NULL", "1", "NULL", "NULL", "NULL", "f"),
            ElementsAre("2024-05-02", "102", "82", "62", "1020", "320", "NULL", "1", "NULL", "NULL", "NULL", "f")));
}

TEST_F(UsageViewsTest, OnlyTheCumulativeCounterIsReset) {
    store(2024_y / 5 / 1, {100, 80, 60, 1000, 300});
    store(2024_y / 5 / 2, {90, 70, 50, 5, 200});
    store(2024_y / 5 / 3, {90, 70, 50, 5, 200});
    EXPECT_THAT(
        query(fmt::format("SELECT {} FROM heiasync.usage_stats_daily ORDER BY observed_on OFFSET 1", delta_columns)),
        ElementsAre(ElementsAre("-10", "-10", "-10", "NULL", "-100", "t"), ElementsAre("0", "0", "0", "0", "0", "f")));
}

TEST_F(UsageViewsTest, TheLastOfSeveralObservationsOfADayCounts) {
    store({{1, "", 2024_y / 5 / 1, 12h, {1, 1, 1, 1, 1}},
           {1, "", 2024_y / 5 / 1, 18h, {2, 2, 2, 2, 2}},
           {1, "", 2024_y / 5 / 1, 6h, {9, 9, 9, 9, 9}},
           {1, "", 2024_y / 5 / 2, 1h, {3, 3, 3, 3, 3}},
           {1, "", 2024_y / 5 / 2, 2h, {7, 7, 7, 7, 7}}});
    // Of two of the same instant, the later run's.
    query(
        "INSERT INTO heiasync.usage_stats SELECT organisation_id, business_id, observed_at, observed_on, 8, 8, 8, 8, "
        "8, "
        "extra, sync_run_id + 1 FROM heiasync.usage_stats WHERE app_use_count = 2");
    EXPECT_THAT(
        query("SELECT observed_on, observed_at, observations, app_use_count, app_use_count_delta, counter_reset "
              "FROM heiasync.usage_stats_daily ORDER BY observed_on"),
        ElementsAre(ElementsAre("2024-05-01", "2024-05-01 18:00:00+00", "4", "8", "NULL", "f"),
                    ElementsAre("2024-05-02", "2024-05-02 02:00:00+00", "2", "7", "NULL", "t")));
}

TEST_F(UsageViewsTest, OrganisationsAndBusinessIdsKeepToThemselves) {
    list(1, "{a,b}");
    list(2);
    store({{1, "", 2024_y / 4 / 30, 1h, uses(1000)},
           {1, "a", 2024_y / 4 / 30, 2h, uses(300)},
           {2, "", 2024_y / 4 / 30, 3h, uses(50)},
           {1, "", 2024_y / 5 / 1, 1h, uses(1001)},
           {1, "a", 2024_y / 5 / 1, 2h, uses(302)},
           {1, "b", 2024_y / 5 / 1, 2h, uses(700)},
           {2, "", 2024_y / 5 / 1, 3h, uses(53)}});
    const auto on_first_of_may = ElementsAre(ElementsAre("1", "", "1"), ElementsAre("1", "a", "2"),
                                             ElementsAre("1", "b", "NULL"), ElementsAre("2", "", "3"));
    EXPECT_THAT(query("SELECT organisation_id, business_id, app_use_count_delta FROM heiasync.usage_stats_daily "
                      "WHERE observed_on = '2024-05-01' ORDER BY 1, 2"),
                on_first_of_may);
    EXPECT_THAT(query("SELECT organisation_id, business_id, app_use_count_delta FROM heiasync.usage_stats_monthly "
                      "WHERE month = '2024-05-01' ORDER BY 1, 2"),
                on_first_of_may);
}

TEST_F(UsageViewsTest, AMonthGoesFromTheLastDayOfTheMonthBeforeToItsOwnLastDay) {
    list(1);
    store(2023_y / 12 / 30, {100, 80, 60, 1000, 300});
    store(2024_y / 1 / 1, {101, 80, 60, 1010, 300});
    store(2024_y / 1 / 31, {110, 80, 60, 1100, 350});
    store(2024_y / 2 / 1, {120, 85, 61, 1110, 340});
    store(2024_y / 2 / 29, {130, 85, 61, 1200, 330});
    EXPECT_THAT(query(fmt::format("SELECT month, closing_on, {}, previous_closing_on, {}, observed_days, days_in_month "
                                  "FROM heiasync.usage_stats_monthly ORDER BY month",
                                  figure_columns, delta_columns)),
                ElementsAre(ElementsAre("2023-12-01", "2023-12-30", "100", "80", "60", "1000", "300", "NULL", "NULL",
                                        "NULL", "NULL", "NULL", "NULL", "f", "1", "31"),
                            ElementsAre("2024-01-01", "2024-01-31", "110", "80", "60", "1100", "350", "2023-12-30",
                                        "10", "0", "0", "100", "50", "f", "2", "31"),
                            ElementsAre("2024-02-01", "2024-02-29", "130", "85", "61", "1200", "330", "2024-01-31",
                                        "20", "5", "1", "100", "-20", "f", "2", "29")));
}

TEST_F(UsageViewsTest, AMonthWithoutObservationHasNoRowAndTheOneAfterItNoDelta) {
    list(1);
    store(2024_y / 1 / 31, uses(1000));
    store(2024_y / 3 / 31, uses(1100));
    store(2024_y / 4 / 2, uses(900));
    EXPECT_THAT(uses_in("usage_stats_monthly", "month"), ElementsAre(ElementsAre("2024-01-01", "1000", "NULL", "f"),
                                                                     ElementsAre("2024-03-01", "1100", "NULL", "f"),
                                                                     ElementsAre("2024-04-01", "900", "NULL", "t")));
    EXPECT_THAT(query("SELECT previous_closing_on FROM heiasync.usage_stats_monthly ORDER BY month"),
                ElementsAre(ElementsAre("NULL"), ElementsAre("NULL"), ElementsAre("2024-03-31")));
}

TEST_F(UsageViewsTest, APeriodGoesFromTheLastObservationBeforeItHoweverOld) {
    list(1);
    set_period_length(3, 2023_y / 1 / 1);
    store(2023_y / 3 / 20, uses(1000));
    store(2023_y / 10 / 1, uses(1030));
    store(2023_y / 11 / 1, uses(1100));
    EXPECT_THAT(query("SELECT period_start, period_end, closing_on, previous_closing_on, app_use_count_delta, "
                      "observed_days, days_in_period FROM heiasync.usage_stats_periods ORDER BY 1"),
                ElementsAre(ElementsAre("2023-01-01", "2023-03-31", "2023-03-20", "NULL", "NULL", "1", "90"),
                            ElementsAre("2023-10-01", "2023-12-31", "2023-11-01", "2023-03-20", "100", "2", "92")));
}

TEST_F(UsageViewsTest, PeriodsFollowTheirLength) {
    list(1);
    set_period_length(1, 2024_y / 1 / 1);
    store(2024_y / 2 / 29, uses(1000));
    set_period_length(3, 2024_y / 3 / 1);
    store(2024_y / 3 / 31, uses(1010));
    store(2024_y / 4 / 30, uses(1020));
    store(2024_y / 6 / 30, uses(1050));
    store(2024_y / 7 / 1, uses(10));
    EXPECT_THAT(
        uses_in("usage_stats_periods", "period_end"),
        ElementsAre(ElementsAre("2024-02-29", "1000", "NULL", "f"), ElementsAre("2024-03-31", "1010", "10", "f"),
                    ElementsAre("2024-06-30", "1050", "40", "f"), ElementsAre("2024-09-30", "10", "NULL", "t")));
}

TEST_F(UsageViewsTest, AreEmptyWithoutARun) {
    for (const auto* relation : {"usage_stats_daily", "usage_stats_monthly", "usage_stats_periods"}) {
        EXPECT_THAT(query(fmt::format("SELECT * FROM heiasync.{}", relation)), IsEmpty());
    }
}

TEST_F(UsageViewsTest, AreReadByKeyWhateverTheyAreFilteredBy) {
    list(1);
    const auto plan = [this](const std::string& relation, const std::string& condition) {
        std::string lines;
        for (const auto& line : query(fmt::format("SET enable_seqscan = off; EXPLAIN SELECT app_use_count_delta "
                                                  "FROM heiasync.{} WHERE {}",
                                                  relation, condition))) {
            lines += line[0] + '\n';
        }
        return lines;
    };
    EXPECT_THAT(plan("usage_stats_daily", "organisation_id = 1 AND observed_on = '2024-05-01'"),
                ContainsRegex("usage_stats last[^\n]*\n *Index Cond: [^\n]*organisation_id = 1"));
    EXPECT_THAT(plan("usage_stats_daily", "observed_on = '2024-05-01'"),
                ContainsRegex("usage_stats last[^\n]*\n *Recheck Cond: .observed_on = '2024-05-01'"));
    EXPECT_THAT(plan("usage_stats_monthly", "month = '2024-05-01'"),
                ContainsRegex("Filter: .month = '2024-05-01'[^?]*Index Cond: [^\n]*observed_on >= calendar.month"));
    EXPECT_THAT(plan("usage_stats_periods", "period_start = '2024-05-01'"),
                ContainsRegex("Filter: .period_start = '2024-05-01'[^?]*Index Cond: [^\n]*observed_on >= period"));
}

}  // namespace
}  // namespace heiasync::history
