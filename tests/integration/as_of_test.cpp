#include "history_test.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

/// The as-of functions, and report_changes: what readers are told of versions.

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A run of 1 July that began at 04:30 UTC and ended at 08:00.
class AsOfTest : public HistoryTest {
protected:
    AsOfTest() {
        query(
            "INSERT INTO heiasync.sync_runs (sync_run_id, trigger, run_on, started_at, finished_at, status, "
            "organisations, requests, failures, bytes_received, host, version, timeline) "
            "VALUES (1, 'manual', '2026-07-01', '2026-07-01 04:30+00', '2026-07-01 08:00+00', 'succeeded', 2, 0, 0, 0, "
            "'h', '1', 1)");
        query("INSERT INTO heiasync.question_sets VALUES (1, '')");
        query(
            "INSERT INTO heiasync.survey_questions VALUES (1, 1, 70, 1, '{}', '{}', '[]'), (1, 2, 71, 2, '{}', '{}', "
            "'[]')");
    }

    /// Of a task that was over at 04:31.
    void task(int organisation, const std::string& stream, const std::string& stored_at,
              const std::string& period_start = "NULL", const std::string& report_id = "NULL") {
        query(
            fmt::format("INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, "
                        "period_start, report_id, status, attempts, started_at, finished_at, stored_at) "
                        "VALUES (1, '2026-07-01', {}, '', '{}', {}, {}, 'done', 1, '2026-07-01 04:31+00', "
                        "'2026-07-01 04:31+00', {})",
                        organisation, stream, period_start, report_id, stored_at));
    }
    std::string count_as_of(const std::string& relation, const std::string& time) {
        return query_value(fmt::format("SELECT count(*) FROM heiasync.{}_as_of('2026-07-01 {}+00')", relation, time));
    }
    void store_version(int version_id, const std::string& generated_at, const std::string& downloaded_at) {
        query(
            fmt::format("INSERT INTO heiasync.report_versions (report_version_id, report_id, organisation_id, "
                        "business_id, sub_report, generated_at, enabled_questions, copy_questions, first_listed_at, "
                        "downloaded_at, document_status, sync_run_id, question_set_id) "
                        "VALUES ({}, 9, 1, '', false, '{}', '{{}}', '{{}}', '{}', '{}', 'stored', 1, 1)",
                        version_id, generated_at, downloaded_at, downloaded_at));
    }
    void add_result(int version_id, const std::string& team, const std::string& average,
                    const std::string& question_averages = "NULL", const std::string& breakdown = "NULL") {
        query(
            fmt::format("INSERT INTO heiasync.report_results (report_version_id, report_id, organisation_id, ordinal, "
                        "scope, team_id, team_name, tag_id, participant_count, answer_count, average_points, "
                        "insufficient_data, point_categories, question_average_points, breakdown_question_ids, "
                        "breakdown_ends, breakdown_values) "
                        "VALUES ({}, 9, 1, 0, 'team', {}, 'Team {}', 0, 20, 10, {}, false, '{{40,60}}', {}, "
                        "'{{71}}', '{{2}}', {})",
                        version_id, team, team, average, question_averages, breakdown));
    }
};

TEST_F(AsOfTest, WhatWasStoredAfterAnOutageWasNotKnownBefore) {
    for (const int organisation : {1, 2, 3}) {
        query(
            fmt::format("INSERT INTO heiasync.usage_stats (organisation_id, business_id, observed_at, observed_on, "
                        "extra, sync_run_id) VALUES ({}, '', '2026-07-01 04:31+00', '2026-07-01', '{{}}', 1)",
                        organisation));
    }
    task(1, "usage_stats", "'2026-07-01 04:31:01+00'");
    task(2, "usage_stats", "'2026-07-01 06:00+00'");
    EXPECT_EQ(count_as_of("usage_stats", "04:30:59"), "0");
    EXPECT_EQ(count_as_of("usage_stats", "04:32"), "1");
    EXPECT_EQ(count_as_of("usage_stats", "05:59"), "1");
    EXPECT_EQ(count_as_of("usage_stats", "06:00"), "2");
    EXPECT_EQ(count_as_of("usage_stats", "08:00"), "3") << "a run that has ended has stored all it did";
}

TEST_F(AsOfTest, WhereItWasNotRecordedTheAnswerWasStoredAtOnce) {
    query(
        "INSERT INTO heiasync.energy_levels (organisation_id, business_id, period_start, period_end, fetched_at, "
        "days_late, document_status, sync_run_id, question_set_id) "
        "VALUES (1, '', '2026-06-01', '2026-06-30', '2026-07-01 04:31+00', 0, 'stored', 1, 1)");
    task(1, "energy_levels", "NULL", "'2026-06-01'");
    EXPECT_EQ(count_as_of("energy_levels", "04:30:59"), "0");
    EXPECT_EQ(count_as_of("energy_levels", "04:31"), "1");
}

TEST_F(AsOfTest, TheLatestVersionOfAReportIsThatOfThen) {
    store_version(1, "2026-06-01", "2026-06-02");
    query("UPDATE heiasync.sync_runs SET started_at = '2026-06-02', finished_at = '2026-06-03'");
    EXPECT_EQ(count_as_of("reports", "00:00"), "1");
    query(
        "INSERT INTO heiasync.sync_runs SELECT (jsonb_populate_record(r, jsonb_build_object('sync_run_id', 2, "
        "'finished_at', '2026-07-01 08:00+00'))).* FROM heiasync.sync_runs AS r");
    store_version(2, "2026-06-20", "2026-07-01 05:00+00");
    query("UPDATE heiasync.report_versions SET sync_run_id = 2 WHERE report_version_id = 2");
    const auto latest = [this](const std::string& time) {
        return query_value(
            fmt::format("SELECT string_agg(report_version_id || ' ' || is_latest_version, ', ' ORDER BY "
                        "report_version_id) FROM heiasync.reports_as_of('2026-07-01 {}+00')",
                        time));
    };
    EXPECT_EQ(latest("07:00"), "1 true");
    EXPECT_EQ(latest("08:00"), "1 false, 2 true");
    EXPECT_EQ(query_value("SELECT count(*) FROM ((TABLE heiasync.reports EXCEPT "
                          "SELECT * FROM heiasync.reports_as_of('2027-01-01'))) AS different"),
              "0");
}

TEST_F(AsOfTest, OrganisationsAreThoseOfTheListingsOfThen) {
    const auto list = [this](int id, const std::string& at, const std::string& ids) {
        query(fmt::format(
            "INSERT INTO heiasync.listings (listing_id, sync_run_id, run_on, listed_at, complete, held_back, "
            "size_classes, organisation_ids) VALUES ({}, 1, '2026-07-01', '2026-07-01 {}+00', true, false, "
            "'{{50}}', '{}')",
            id, at, ids));
    };
    const auto version = [this](int organisation, const std::string& at, const std::string& name, bool listed) {
        query(
            fmt::format("INSERT INTO heiasync.organisation_versions (organisation_id, name, multi_business_id, "
                        "business_ids, listed, valid_from, last_seen_at) "
                        "VALUES ({}, '{}', false, '{{}}', {}, '2026-07-01 {}+00', {})",
                        organisation, name, listed, at, listed ? "NULL" : "'2026-07-01 04:30+00'"));
    };
    list(1, "04:30", "{1,2}");
    version(1, "04:30", "one", true);
    version(2, "04:30", "two", true);
    list(2, "07:00", "{1}");
    version(1, "07:00", "ett", true);
    version(2, "07:00", "two", false);
    query(
        "INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, status, attempts, "
        "started_at, finished_at, stored_at) VALUES (1, '2026-07-01', 0, '', 'organisations', 'done', 1, "
        "'2026-07-01 04:30+00', '2026-07-01 04:30+00', '2026-07-01 04:30:01+00')");
    const auto names = [this](const std::string& time) {
        return query_value(
            fmt::format("SELECT coalesce(string_agg(name || coalesce(' gone ' || removed_at::time, ''), ', ' "
                        "ORDER BY organisation_id), '') "
                        "FROM heiasync.organisations_as_of('2026-07-01 {}+00')",
                        time));
    };
    EXPECT_EQ(names("04:30"), "");
    EXPECT_EQ(names("04:31"), "one, two");
    EXPECT_EQ(names("07:30"), "one, two") << "that listing was not stored yet";
    EXPECT_EQ(names("08:00"), "ett, two gone 07:00:00");
    EXPECT_EQ(query_value("SELECT count(*) FROM ((TABLE heiasync.organisations EXCEPT "
                          "SELECT * FROM heiasync.organisations_as_of('2027-01-01'))) AS different"),
              "0");
}

TEST_F(AsOfTest, ChangesAreTheFiguresThatDifferBetweenVersionsThatFollowEachOther) {
    for (const int version : {1, 2, 3}) {
        store_version(version, fmt::format("2026-06-{:02}", version), "2026-07-01 05:00+00");
    }
    add_result(1, "5", "3.5", "'{3.25,NULL}'", "'{30,70}'");
    add_result(2, "5", "3.5", "'{3.25,4}'", "'{35,70}'");
    add_result(2, "6", "2", "'{1,2}'", "'{1,99}'");
    add_result(3, "5", "NULL");
    query(
        "UPDATE heiasync.report_results SET insufficient_data = true, point_categories = NULL WHERE average_points IS "
        "NULL");
    const auto changes = [this](int older, int newer, const std::string& team) {
        std::vector<std::string> lines;
        for (const auto& row :
             query(fmt::format("SELECT question_id || ' ' || figure || ' ' || coalesce(old_value::text, '-') || ' ' || "
                               "coalesce(new_value::text, '-') FROM heiasync.report_changes "
                               "WHERE report_id = 9 AND older_report_version_id = {} AND newer_report_version_id = {} "
                               "AND team_id = {} ORDER BY question_id, figure",
                               older, newer, team))) {
            lines.push_back(row.front());
        }
        return lines;
    };
    EXPECT_THAT(changes(1, 2, "5"), ElementsAre("71 average_points - 4", "71 option_breakdown[1] 30 35"));
    EXPECT_EQ(changes(1, 2, "6").size(), 9U) << "a group that appeared";
    EXPECT_THAT(changes(2, 3, "5"),
                ElementsAre("0 average_points 3.5 -", "0 point_categories[1] 40 -", "0 point_categories[2] 60 -",
                            "70 average_points 3.25 -", "71 average_points 4 -", "71 option_breakdown[1] 35 -",
                            "71 option_breakdown[2] 70 -"));
    EXPECT_THAT(changes(1, 3, "5"), IsEmpty());
    EXPECT_EQ(query_value("SELECT DISTINCT team_name FROM heiasync.report_changes WHERE team_id = 6"), "Team 6");
}

}  // namespace
}  // namespace heiasync::history
