#include "history/migrations.hpp"
#include "support/postgres.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// A history that was begun under an older schema.

namespace heiasync::history {
namespace {

using heiasync::testing::PostgresServer;
using heiasync::testing::query;
using heiasync::testing::query_value;
using namespace date::literals;

/// A row in every table that had come with a version, as the program of that version could have written it.
struct Rows {
    int since = 0;
    int until = 1'000;  ///< from this version on the table asks for more
    std::string_view sql;
};

constexpr std::string_view insert_run =
    "INSERT INTO heiasync.sync_runs (sync_run_id, trigger, run_on, scheduled_for, started_at, finished_at, status, "
    "organisations, requests, failures, bytes_received, host, version, timeline) VALUES (1, 'schedule', '2026-06-01', "
    "'2026-06-01 04:30+03', '2026-06-01 04:30+03', '2026-06-01 04:40+03', 'partial', 1, 5, 1, 1000, 'h', '0.1', 1)";

const std::vector<Rows> rows{
    {1, 1'000, insert_run},
    {1, 1'000,
     "INSERT INTO heiasync.settings_history (valid_from, time_zone, daily_at, api_time_zone, reporting_period_months, "
     "minimum_accepted_members, max_days_late, stats_per_business_id, energy_levels_per_business_id, size_classes) "
     "VALUES ('2026-06-01 04:30+03', 'Europe/Helsinki', '04:30', 'Europe/Helsinki', 1, 5, 7, true, true, '{50}')"},
    {1, 1'000,
     "INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, period_start, "
     "status, "
     "reason, attempts, started_at, finished_at) VALUES "
     "(1, '2026-06-01', 0, '', 'organisations', NULL, 'done', NULL, 1, '2026-06-01 04:30+03', '2026-06-01 04:30+03'), "
     "(1, '2026-06-01', 7, '', 'usage_stats', NULL, 'done', NULL, 1, '2026-06-01 04:31+03', '2026-06-01 04:31+03'), "
     "(1, '2026-06-01', 7, '', 'energy_levels', '2026-05-01', 'done', NULL, 1, '2026-06-01 04:32+03', "
     "'2026-06-01 04:32+03'), "
     "(1, '2026-06-01', 7, '', 'reports', NULL, 'failed', 'transport', 1, '2026-06-01 04:33+03', '2026-06-01 "
     "04:33+03')"},
    {1, 1'000,
     "INSERT INTO heiasync.schema_drift VALUES ('usage_stats', '/coffee', 'unknown_field', 'number', '2026-06-01', "
     "'2026-06-01')"},
    {2, 8,
     "INSERT INTO heiasync.listings (sync_run_id, run_on, listed_at, complete, size_classes, organisation_ids) "
     "VALUES (1, '2026-06-01', '2026-06-01 04:30+03', true, '{50}', '{7}')"},
    {8, 1'000,
     "INSERT INTO heiasync.listings (sync_run_id, run_on, listed_at, complete, held_back, size_classes, "
     "organisation_ids) VALUES (1, '2026-06-01', '2026-06-01 04:30+03', true, false, '{50}', '{7}')"},
    {2, 1'000,
     "INSERT INTO heiasync.organisation_versions (organisation_id, name, size_class, multi_business_id, business_ids, "
     "listed, valid_from) VALUES (7, 'Seitsemän', 50, false, '{}', true, '2026-06-01 04:30+03')"},
    {3, 1'000,
     "INSERT INTO heiasync.usage_stats (organisation_id, business_id, observed_at, observed_on, app_use_count, extra, "
     "sync_run_id) VALUES (7, '', '2026-06-01 04:31+03', '2026-06-01', 100, '{}', 1)"},
    {4, 1'000,
     "INSERT INTO heiasync.question_sets VALUES (1, '\\x01'); "
     "INSERT INTO heiasync.survey_questions VALUES (1, 1, 70, 1, '{\"en\": \"How\"}', '{}', '[]')"},
    {5, 1'000,
     "INSERT INTO heiasync.energy_levels (energy_level_id, organisation_id, business_id, period_start, period_end, "
     "fetched_at, days_late, document, document_status, sync_run_id, question_set_id) VALUES (1, 7, '', '2026-05-01', "
     "'2026-05-31', '2026-06-01 04:32+03', 0, '{\"a\": 1}', 'stored', 1, 1); "
     "INSERT INTO heiasync.energy_level_results (energy_level_id, organisation_id, business_id, period_start, "
     "period_end, "
     "scope, team_id, average_points, insufficient_data, question_average_points) VALUES (1, 7, '', '2026-05-01', "
     "'2026-05-31', 'organisation', 0, 3.5, false, '{3.25}')"},
    {5, 22, "INSERT INTO heiasync.energy_level_originals VALUES (7, 1, 0, 'zlib', '\\x00', 7, '\\x00')"},
    {22, 1'000, "INSERT INTO heiasync.energy_level_originals VALUES (7, 1, 0, 'zlib', '\\x00', 7, '\\x00', true)"},
    {6, 1'000,
     "INSERT INTO heiasync.report_versions (report_version_id, report_id, organisation_id, business_id, sub_report, "
     "generated_at, enabled_questions, copy_questions, first_listed_at, downloaded_at, document_status, sync_run_id, "
     "question_set_id) VALUES (1, 9, 7, '12-3', true, '2026-05-30', '{}', '{}', '2026-06-01', '2026-06-01', 'stored', "
     "1, 1);"
     "INSERT INTO heiasync.report_sources VALUES (1, 'secret', 7)"},
    {6, 19,
     "INSERT INTO heiasync.report_listings (organisation_id, report_id, generated_at, first_listed_at, sync_run_id) "
     "VALUES (7, 9, '2026-05-30', '2026-06-01', 1)"},
    {19, 1'000,
     "INSERT INTO heiasync.report_listings (organisation_id, report_id, generated_at, first_listed_at, sync_run_id, "
     "business_id) VALUES (7, 9, '2026-05-30', '2026-06-01', 1, '12-3')"},
};

/// Everything that the schema is, in words.
std::vector<std::vector<std::string>> description(const std::string& url) {
    return query(
        url,
        "SELECT 'column ' || attrelid::regclass || ' ' || attnum || ' ' || attname || ' ' || "
        "       format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || "
        "       coalesce(col_description(attrelid, attnum), '') AS line "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relnamespace = 'heiasync'::regnamespace AND attnum > 0 AND NOT attisdropped "
        "  AND relkind IN ('r', 'v', 'p') "
        "UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'heiasync' "
        "UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) "
        "FROM pg_constraint WHERE connamespace = 'heiasync'::regnamespace "
        "UNION ALL SELECT 'view ' || viewname || ' ' || definition FROM pg_views WHERE schemaname = 'heiasync' "
        "UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(obj_description(oid, 'pg_proc'), '') "
        "FROM pg_proc WHERE pronamespace = 'heiasync'::regnamespace "
        "UNION ALL SELECT 'trigger ' || pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON "
        "pg_class.oid = tgrelid WHERE relnamespace = 'heiasync'::regnamespace AND NOT tgisinternal "
        "ORDER BY line");
}

/// What readers see of those rows, without what has come since.
const std::vector<std::string> questions{
    "SELECT organisation_id, name, first_seen_at, last_seen_at, removed_at FROM heiasync.organisations",
    "SELECT organisation_id, observed_on, app_use_count FROM heiasync.usage_stats",
    "SELECT organisation_id, observed_on, app_use_count, app_use_count_delta FROM heiasync.usage_stats_daily",
    "SELECT organisation_id, question_id, average_points FROM heiasync.energy_level_question_results",
    "SELECT organisation_id, report_id, business_id, is_latest_version FROM heiasync.reports",
    "SELECT organisation_id, report_id, business_id FROM heiasync.report_listings",
    "SELECT stream, state, reason FROM heiasync.sync_gaps WHERE expected_on = '2026-06-01' ORDER BY stream",
    "SELECT count(*) FROM heiasync.usage_stats_as_of('2026-06-02')",
};

class Upgrade : public ::testing::Test {
protected:
    static void migrate_to(const std::string& url, std::optional<int> version) {
        MigrateOptions options;
        options.to = version;
        migrate(url, embedded_migrations(), options, [] { return core::Instant{date::sys_days{2026_y / 7 / 1}}; });
    }
    /// Into the tables of a version, but for those that an older one had.
    static void add_rows(const std::string& url, int version, int older = 0) {
        const auto table_of = [](const Rows& row) { return row.sql.substr(0, row.sql.find(" (", 0)); };
        for (const Rows& row : rows) {
            const bool was_there = std::ranges::any_of(
                rows, [&](const Rows& other) { return other.since <= older && table_of(other) == table_of(row); });
            if (version >= row.since && version < row.until && !was_there) {
                query(url, std::string{row.sql});
            }
        }
    }
};

TEST_F(Upgrade, FromEveryVersionWithDataIsAsIfItHadBeenBegunToday) {
    PostgresServer& server = PostgresServer::shared();
    const int newest = embedded_migrations().back().version;
    const std::string fresh = server.create_migrated_database();
    const auto schema = description(fresh);
    add_rows(fresh, newest);
    for (int version = 1; version < newest; ++version) {
        SCOPED_TRACE(version);
        const std::string url = server.create_database();
        migrate_to(url, version);
        add_rows(url, version);
        migrate_to(url, {});
        EXPECT_EQ(description(url), schema);
        add_rows(url, newest, version);
        for (const std::string& question : questions) {
            EXPECT_EQ(query(url, question), query(fresh, question)) << question;
        }
    }
}

TEST_F(Upgrade, ConsumerRelationsOnlyGainColumnsAtTheirEnd) {
    const std::string url = PostgresServer::shared().create_database();
    std::map<std::string, std::string> columns;
    for (const Migration& migration : embedded_migrations()) {
        migrate_to(url, migration.version);
        for (const auto& row : query(
                 url,
                 "SELECT relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
                 "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
                 "WHERE relnamespace = 'heiasync'::regnamespace AND attnum > 0 AND relkind IN ('r', 'v') "
                 "GROUP BY relname")) {
            const std::string& before = columns[row[0]];
            EXPECT_EQ(row[1].substr(0, before.size()), before) << row[0] << " in migration " << migration.version;
            columns[row[0]] = row[1];
        }
    }
}

TEST_F(Upgrade, ReadersThatAskAllTheTimeSeeNoError) {
    const std::string url = PostgresServer::shared().create_database();
    constexpr int first = 6;
    migrate_to(url, first);
    add_rows(url, first);
    std::atomic<bool> ended{false};
    std::string error;
    int asked = 0;
    std::thread reader{[&] {
        try {
            while (!ended) {
                query(url, "SELECT organisation_id, name FROM heiasync.organisations");
                query(url, "SELECT organisation_id, observed_on, app_use_count FROM heiasync.usage_stats");
                query(url, "SELECT organisation_id, average_points FROM heiasync.energy_level_question_results");
                query(url, "SELECT report_id, is_latest_version FROM heiasync.reports");
                ++asked;
            }
        } catch (const std::exception& thrown) {
            error = thrown.what();
        }
    }};
    migrate_to(url, {});
    ended = true;
    reader.join();
    EXPECT_EQ(error, "");
    EXPECT_GT(asked, 0);
}

}  // namespace
}  // namespace heiasync::history
