#include "history/explanation.hpp"

#include "days_test.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace heiasync::history {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

class ExplanationTest : public DaysTest {
protected:
    Explanation explanation_of(const std::string& date, std::optional<std::int64_t> organisation = {}) {
        return transact(
            [&](Transaction& transaction) { return explain(transaction, core::parse_date(date), organisation); });
    }
    /// `usage_stats 2|a stored`, with the state, the reason and the number of attempts where there are any.
    std::vector<std::string> cells_of(const std::string& date, std::optional<std::int64_t> organisation = {}) {
        std::vector<std::string> lines;
        for (const Cell& cell : explanation_of(date, organisation).cells) {
            lines.push_back(fmt::format("{} {}|{}{} {}{}{}{}", to_string(cell.stream), cell.organisation_id,
                                        cell.business_id, cell.report_id ? fmt::format("|{}", *cell.report_id) : "",
                                        to_string(cell.outcome),
                                        !cell.is_open   ? ""
                                        : *cell.is_open ? " open"
                                                        : " final",
                                        cell.reason ? " " + *cell.reason : "",
                                        cell.attempts.empty() ? "" : fmt::format(" x{}", cell.attempts.size())));
        }
        return lines;
    }
    /// As if the schema and this program had come apart.
    void lose_the_gaps() {
        query(
            "CREATE OR REPLACE FUNCTION heiasync.gaps_on(day date) RETURNS TABLE (stream text, organisation_id bigint, "
            "business_id text, period_start date, period_end date, report_id bigint, generated_at timestamptz, "
            "state text, reason text, last_error text, last_attempt_at timestamptz) LANGUAGE sql STABLE ROWS 10 AS "
            "$$SELECT NULL::text, 0::bigint, '', day, day, 0::bigint, now(), '', '', '', now() WHERE false$$");
    }
    void store_energy_levels(std::int64_t run_id, int organisation, const std::string& business_id = {}) {
        query(
            "INSERT INTO heiasync.question_sets (question_set_id, digest) VALUES (1, '\\x00') "
            "ON CONFLICT DO NOTHING");
        query(
            fmt::format("INSERT INTO heiasync.energy_levels (organisation_id, business_id, period_start, period_end, "
                        "fetched_at, days_late, document_status, sync_run_id, question_set_id) "
                        "VALUES ({}, '{}', '2026-06-01', '2026-06-30', '2026-07-01 04:31+03', 0, 'stored', {}, 1)",
                        organisation, business_id, run_id));
    }
};

TEST_F(ExplanationTest, OfAnOrdinaryDayEverythingIsStored) {
    whole_day("2026-06-10");
    now("2026-06-10 12:00");
    EXPECT_THAT(cells_of("2026-06-10"),
                ElementsAre("organisations 0| stored", "usage_stats 1| stored", "usage_stats 2| stored",
                            "usage_stats 2|a stored", "usage_stats 2|b stored", "reports 1| stored x1",
                            "reports 2| stored x1"));
    EXPECT_THAT(cells_of("2026-06-10", 1),
                ElementsAre("organisations 0| stored", "usage_stats 1| stored", "reports 1| stored x1"));
}

TEST_F(ExplanationTest, BeforeItsSlotNothingIsDueAndWhatCameAllTheSameIsStored) {
    whole_day("2026-06-10");
    now("2026-06-11 03:00");
    EXPECT_THAT(cells_of("2026-06-11"), Each(EndsWith(" not_due")));
    EXPECT_EQ(cells_of("2026-06-11").size(), 7U);
    EXPECT_FALSE(explanation_of("2026-06-11").is_to_come);
    const auto early = run("2026-06-11");
    observe(early, "2026-06-11", 1);
    task(early, "2026-06-11", 2, "usage_stats", "skipped", {"a", "", "", "business_id_not_mapped", "400"});
    task(early, "2026-06-11", 2, "usage_stats", "failed", {"b", "", "", "transport", ""});
    task(early, "2026-06-11", 1, "reports", "failed", {"", "", "", "transport", ""});
    task(early, "2026-06-11", 2, "reports", "done");
    EXPECT_THAT(cells_of("2026-06-11"),
                ElementsAre("organisations 0| not_due", "usage_stats 1| stored", "usage_stats 2| not_due",
                            "usage_stats 2|a skipped business_id_not_mapped x1", "usage_stats 2|b not_due x1",
                            "reports 1| not_due x1", "reports 2| stored x1"));
    now("2026-06-11 04:30");
    EXPECT_THAT(cells_of("2026-06-11"), ElementsAre("organisations 0| missing open not_asked", "usage_stats 1| stored",
                                                    "usage_stats 2| missing open not_asked",
                                                    "usage_stats 2|a skipped business_id_not_mapped x1",
                                                    "usage_stats 2|b missing open transport x1",
                                                    "reports 1| missing open transport x1", "reports 2| stored x1"));
}

TEST_F(ExplanationTest, OfADateToComeNothingIsExpectedYet) {
    whole_day("2026-06-10");
    now("2026-06-10 23:59");
    EXPECT_FALSE(explanation_of("2026-06-10").is_to_come);
    for (const auto* date : {"2026-06-11", "2026-07-01", "2030-01-01"}) {
        EXPECT_TRUE(explanation_of(date).is_to_come) << date;
        EXPECT_THAT(cells_of(date), IsEmpty()) << date;
        EXPECT_THAT(cells_of(date, 1), IsEmpty()) << date;
    }
    now("2026-06-11 00:00");
    EXPECT_FALSE(explanation_of("2026-06-11").is_to_come);
}

TEST_F(ExplanationTest, OfADateBeforeTheHistoryNothingIsExpected) {
    EXPECT_THAT(cells_of("2026-06-09"), IsEmpty()) << "before any run";
    whole_day("2026-06-10");
    now("2026-06-10 12:00");
    EXPECT_THAT(cells_of("2026-06-09"), IsEmpty());
    EXPECT_FALSE(explanation_of("2026-06-09").is_to_come);
}

TEST_F(ExplanationTest, WhatIsNeitherStoredNorSkippedNorAGapIsMissingWithoutAState) {
    whole_day("2026-06-10");
    query("DELETE FROM heiasync.usage_stats WHERE business_id = 'a'");
    query("DELETE FROM heiasync.sync_tasks WHERE organisation_id = 1");
    now("2026-06-10 12:00");
    EXPECT_THAT(cells_of("2026-06-10"),
                IsSupersetOf({"usage_stats 2|a missing open not_asked", "reports 1| missing open not_asked"}));
    lose_the_gaps();
    EXPECT_THAT(
        cells_of("2026-06-10"),
        ElementsAre("organisations 0| stored", "usage_stats 1| stored", "usage_stats 2| stored",
                    "usage_stats 2|a missing", "usage_stats 2|b stored", "reports 1| missing", "reports 2| stored x1"));
}

TEST_F(ExplanationTest, AListingThatWasHeldBackIsNotStored) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "partial");
    list(id, "2026-06-11", "{3}", true, true);
    task(id, "2026-06-11", 0, "organisations", "failed", {"", "", "", "listing_shrank: 2 of 2", ""});
    now("2026-06-11 12:00");
    EXPECT_EQ(cells_of("2026-06-11").front(), "organisations 0| missing open listing_shrank: 2 of 2 x1");
    list(id, "2026-06-11", "{3}", false);
    EXPECT_EQ(cells_of("2026-06-11").front(), "organisations 0| missing open listing_shrank: 2 of 2 x1");
    lose_the_gaps();
    EXPECT_EQ(cells_of("2026-06-11").front(), "organisations 0| missing x1");
    list(id, "2026-06-11");
    EXPECT_EQ(cells_of("2026-06-11").front(), "organisations 0| stored x1");
}

TEST_F(ExplanationTest, WhatWasSkippedAndStoredLaterIsStoredWhoeverAsks) {
    whole_days(6, 29, 30);
    const auto id = whole_day("2026-07-01");
    const std::string reason = "below_minimum_accepted_members: 4 of 5";
    task(id, "2026-07-01", 1, "energy_levels", "skipped", {"", "2026-06-01", "", reason, ""});
    task(id, "2026-07-01", 2, "energy_levels", "skipped",
         {"", "2026-06-01", "", "below_minimum_accepted_members: 9 of 10", ""});
    task(id, "2026-07-01", 2, "energy_levels", "done", {"a", "2026-06-01", "", "", ""});
    store_energy_levels(id, 2, "a");
    const auto later = whole_day("2026-07-02");
    task(later, "2026-07-02", 1, "energy_levels", "done", {"", "2026-06-01", "", "", ""});
    store_energy_levels(later, 1);
    task(later, "2026-07-02", 2, "energy_levels", "skipped", {"", "2026-06-01", "", reason, ""});
    now("2026-07-02 12:00");
    const std::vector<std::string> settled{"energy_levels 1| stored x1", "energy_levels 2| skipped " + reason + " x1",
                                           "energy_levels 2|a stored x1", "energy_levels 2|b missing open not_asked"};
    EXPECT_THAT(cells_of("2026-07-01"), IsSupersetOf(settled));
    EXPECT_THAT(cells_of("2026-07-01", 1), Contains("energy_levels 1| stored x2"));
    EXPECT_THAT(cells_of("2026-07-01", 2), Contains("energy_levels 2| skipped " + reason + " x2"));
    lose_the_gaps();
    EXPECT_THAT(cells_of("2026-07-01", 2), IsSupersetOf({"energy_levels 2|a stored x1", "energy_levels 2|b missing"}));
}

TEST_F(ExplanationTest, AReportIsStoredWhereItsVersionIs) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    now("2026-06-10 12:00");
    EXPECT_THAT(cells_of("2026-06-10"), Contains("reports 1||9 missing open not_asked"));
    const auto store = [&](const std::string& generated_at) {
        query(
            "INSERT INTO heiasync.question_sets (question_set_id, digest) VALUES (1, '\\x00') "
            "ON CONFLICT DO NOTHING");
        query(fmt::format(
            "INSERT INTO heiasync.report_versions (organisation_id, report_id, business_id, sub_report, "
            "generated_at, enabled_questions, copy_questions, first_listed_at, downloaded_at, document_status, "
            "sync_run_id, "
            "question_set_id) VALUES (1, 9, '', false, '{0}', '{{}}', '{{}}', '{0}', '{0}', 'stored', {1}, 1)",
            generated_at, id));
    };
    store("2026-06-01 00:00+03");
    EXPECT_THAT(cells_of("2026-06-10"), Contains("reports 1||9 missing open not_asked")) << "of another version";
    lose_the_gaps();
    EXPECT_THAT(cells_of("2026-06-10"), Contains("reports 1||9 missing"));
    store("2026-06-09 00:00+03");
    EXPECT_THAT(cells_of("2026-06-10"), Contains("reports 1||9 stored"));
}

TEST_F(ExplanationTest, WhatWasAskedForAndIsNotExpectedComesAfterwards) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "partial");
    list(id, "2026-06-11", "{1,4}", false);
    task(id, "2026-06-11", 0, "organisations", "failed", {"", "", "", "listing_incomplete", "500"});
    task(id, "2026-06-11", 4, "usage_stats", "failed", {"", "", "", "transport", ""});
    task(id, "2026-06-11", 4, "usage_stats", "failed", {"", "", "", "not_found", "404"});
    task(id, "2026-06-11", 4, "reports", "done");
    task(id, "2026-06-11", 1, "energy_levels", "failed", {"", "2026-05-01", "", "gate_unknown", ""});
    task(id, "2026-06-11", 1, "reports", "failed", {"", "", "9", "too_large", "200"});
    now("2026-06-11 12:00");
    const auto cells = cells_of("2026-06-11");
    ASSERT_EQ(cells.size(), 11U);
    EXPECT_EQ(cells[0], "organisations 0| missing open listing_incomplete x1");
    const std::vector<std::string> besides{cells.begin() + 7, cells.end()};
    EXPECT_THAT(besides,
                ElementsAre("energy_levels 1| not_expected gate_unknown x1", "reports 1||9 not_expected too_large x1",
                            "usage_stats 4| not_expected not_found x2", "reports 4| not_expected x1"));
    EXPECT_THAT(cells_of("2026-06-11", 4),
                ElementsAre("organisations 0| missing open listing_incomplete x1",
                            "usage_stats 4| not_expected not_found x2", "reports 4| not_expected x1"));
    const Cell levels = explanation_of("2026-06-11").cells[7];
    EXPECT_EQ(levels.period_end, 2026_y / 5 / 31);
    EXPECT_EQ(levels.last_error, "it failed");
}

TEST_F(ExplanationTest, BeforeTheFirstListingAttemptsAreThereToBeSeen) {
    const auto id = run("2026-06-10", "failed", "the API rejected the credentials");
    now("2026-06-10 12:00");
    EXPECT_THAT(cells_of("2026-06-10"), IsEmpty());
    task(id, "2026-06-10", 0, "organisations", "failed", {"", "", "", "http_status", "403"});
    EXPECT_THAT(cells_of("2026-06-10"), ElementsAre("organisations 0| not_expected http_status x1"));
}

/// Its task has the business id, and its listing may be of a version that did not keep it.
TEST_F(ExplanationTest, AttemptsAtAReportAreItsOwnWhateverBusinessIdTheyName) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    task(id, "2026-06-10", 1, "reports", "failed", {"a", "", "9", "too_large", "200"});
    now("2026-06-10 12:00");
    const auto cells = cells_of("2026-06-10");
    EXPECT_EQ(cells.size(), 8U);
    EXPECT_THAT(cells, Contains("reports 1||9 missing open not_asked x1"));
}

TEST_F(ExplanationTest, EveryCellHasOneOutcomeAndIsListedOnce) {
    whole_days(6, 28, 30);
    const auto id = whole_day("2026-07-01");
    list_report(id, "2026-06-30 00:00+03");
    task(id, "2026-07-01", 1, "energy_levels", "failed", {"", "2026-06-01", "", "transport", ""});
    task(id, "2026-07-01", 4, "energy_levels", "failed", {"", "2026-06-01", "", "transport", ""});
    now("2026-07-01 12:00");
    std::set<std::string> places;
    const auto cells = explanation_of("2026-07-01").cells;
    for (const Cell& cell : cells) {
        places.insert(fmt::format("{} {} {} {}", to_string(cell.stream), cell.organisation_id, cell.business_id,
                                  cell.report_id.value_or(0)));
        EXPECT_EQ(cell.is_open.has_value(), cell.outcome == Outcome::missing);
        EXPECT_EQ(cell.reason.has_value(), cell.outcome == Outcome::missing || cell.outcome == Outcome::not_expected);
    }
    EXPECT_EQ(places.size(), cells.size());
    EXPECT_EQ(cells.size(), 7U + 4U + 1U + 1U);
}

}  // namespace
}  // namespace heiasync::history
