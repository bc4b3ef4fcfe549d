#include "history.hpp"

#include "support/postgres.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace heiasync::bench {

namespace {

// What the program stored is in `heiasync`, its organisation the first.
constexpr const char* make_helpers = R"(
CREATE SCHEMA bench;
CREATE TABLE bench.days AS
SELECT day::date AS run_on, day::date - date '2026-06-01' AS sync_run_id, day::date - date '2016-01-01' AS number
FROM generate_series(timestamp '2026-06-01' - interval '{years} years', timestamp '2026-05-31', interval '1 day') AS day;
CREATE TABLE bench.organisations AS
SELECT first.organisation_id + number AS organisation_id, number
FROM (SELECT min(organisation_id) AS organisation_id FROM heiasync.organisation_versions) AS first,
     generate_series(0, {organisations} - 1) AS number;
ANALYZE bench.days, bench.organisations)";

constexpr const char* fill_ledger = R"(
UPDATE heiasync.settings_history SET valid_from = (SELECT min(run_on) FROM bench.days);
UPDATE heiasync.listings SET organisation_ids = (SELECT array_agg(organisation_id ORDER BY 1) FROM bench.organisations);
INSERT INTO heiasync.sync_runs (sync_run_id, trigger, run_on, scheduled_for, started_at, finished_at, status, organisations,
                                requests, failures, bytes_received, host, version, timeline)
SELECT sync_run_id, 'schedule', run_on, run_on + interval '1 h 30 min', run_on + interval '1 h 30 min',
       run_on + interval '1 h 50 min', 'succeeded', {organisations}, 2 * {organisations} + 20, 0, 1000000, 'bench', '1', 1
FROM bench.days;
INSERT INTO heiasync.listings (listing_id, sync_run_id, run_on, listed_at, complete, size_classes, organisation_ids,
                               held_back)
SELECT sync_run_id, sync_run_id, run_on, run_on + interval '1 h 31 min', true, '{{50,10000}}',
       (SELECT array_agg(organisation_id ORDER BY 1) FROM bench.organisations), false
FROM bench.days;
INSERT INTO heiasync.organisation_versions (organisation_id, organisation_version_id, name, size_class, multi_business_id,
                                            business_ids, su_access, listed, valid_from)
SELECT organisation_id, -1, 'Organisation ' || number, 50, false, '{{}}', true, true,
       (SELECT min(run_on) FROM bench.days) + interval '1 h 31 min'
FROM bench.organisations;
INSERT INTO heiasync.sync_tasks (sync_task_id, sync_run_id, run_on, organisation_id, business_id, stream, status, attempts,
                                 http_status, started_at, finished_at)
SELECT row_number() OVER () - 1000000000, sync_run_id, run_on, organisation_id, '', stream, 'done', 1, 200,
       run_on + interval '1 h 40 min', run_on + interval '1 h 40 min'
FROM bench.days
CROSS JOIN (SELECT organisation_id, unnest('{{usage_stats,reports}}'::text[]) AS stream FROM bench.organisations
            UNION ALL SELECT 0, 'organisations') AS subject
WHERE run_on >= '2026-04-01'
ORDER BY run_on, organisation_id)";

// The key's index last, as full as days that come one by one leave it: each page is split in the middle when it is
// full, and what is left of the middle never grows again.
constexpr const char* drop_key = "ALTER TABLE heiasync.usage_stats DROP CONSTRAINT usage_stats_pkey";
constexpr const char* fill_usage_of_a_year = R"(
SET session_replication_role = replica;
INSERT INTO heiasync.usage_stats
SELECT organisation_id, '', run_on + interval '1 h 40 min' + organisation.number * interval '60 ms', run_on,
       100 + organisation.number % 900 + day.number / 30, 90 + organisation.number % 900 + day.number / 40,
       60 + organisation.number % 500 + day.number / 50, day.number * (10 + organisation.number % 50),
       300 + (organisation.number * 7 + day.number) % 1000, '{{}}', sync_run_id
FROM bench.days AS day CROSS JOIN bench.organisations AS organisation
WHERE extract(year FROM run_on) = {year}
ORDER BY run_on, organisation_id)";
constexpr const char* make_key = R"(
{definition} WITH (fillfactor = 50);
ALTER TABLE heiasync.usage_stats ADD CONSTRAINT usage_stats_pkey PRIMARY KEY USING INDEX usage_stats_pkey;
ALTER INDEX heiasync.usage_stats_pkey RESET (fillfactor))";

constexpr const char* fill_energy_levels = R"(
SET session_replication_role = replica;
CREATE TABLE bench.documents AS
SELECT row_number() OVER (ORDER BY period_start, organisation_id) - 1000000000 AS energy_level_id, organisation_id,
       period_start::date AS period_start, (period_start + interval '1 month - 1 day')::date AS period_end
FROM generate_series(timestamp '2026-05-01' - interval '{years} years', timestamp '2026-04-01', interval '1 month')
         AS month (period_start)
CROSS JOIN bench.organisations WHERE number < {documents} / (12 * {years});
INSERT INTO heiasync.energy_levels (energy_level_id, organisation_id, business_id, period_start, period_end, fetched_at,
    days_late, minimum_answer_count, document, document_status, sync_run_id, question_set_id)
SELECT made.energy_level_id, made.organisation_id, '', made.period_start, made.period_end,
       made.period_end + interval '1 day 1 h 41 min', 0, minimum_answer_count, document, document_status,
       made.period_end + 1 - date '2026-06-01', question_set_id
FROM bench.documents AS made, (SELECT * FROM heiasync.energy_levels LIMIT 1) AS stored
ORDER BY made.energy_level_id;
INSERT INTO heiasync.energy_level_results
SELECT made.energy_level_id, made.organisation_id, '', made.period_start, made.period_end, scope, team_id, team_name,
       participant_count, answer_count, average_points, insufficient_data, insufficient_data_reason, point_categories,
       question_average_points, breakdown_question_ids, breakdown_ends, breakdown_values
FROM bench.documents AS made, (SELECT * FROM heiasync.energy_level_results WHERE period_start = '2026-05-01') AS stored
WHERE stored.scope <> 'team' OR stored.team_id IN
    (SELECT team_id FROM heiasync.energy_level_results WHERE scope = 'team' ORDER BY 1 LIMIT 4)
ORDER BY made.energy_level_id;
INSERT INTO heiasync.energy_level_originals
SELECT made.organisation_id, made.energy_level_id, piece, coding, bytes, document_size, document_sha256, exact
FROM bench.documents AS made, (SELECT * FROM heiasync.energy_level_originals) AS stored
ORDER BY made.energy_level_id)";
// Of whom no document was made, a rule says that there is none.
constexpr const char* fill_skips = R"(
INSERT INTO heiasync.sync_tasks (sync_task_id, sync_run_id, run_on, organisation_id, business_id, stream, period_start, status,
                                 reason, attempts, started_at, finished_at)
SELECT row_number() OVER () - 2000000000, sync_run_id, run_on, organisation_id, '', 'energy_levels',
       run_on - interval '1 month', 'skipped', 'below_minimum_accepted_members: 4 of 5', 0,
       run_on + interval '1 h 41 min', run_on + interval '1 h 41 min'
FROM bench.days CROSS JOIN bench.organisations
WHERE run_on IN ('2026-04-01', '2026-05-01') AND organisations.number >= {documents} / (12 * {years})
ORDER BY run_on, organisation_id)";

}  // namespace

void fill_history(const std::string& database_url, const HistorySize& size) {
    const auto run = [&](std::string_view sql) { testing::query(database_url, std::string{sql}); };
    const auto run_with_size = [&](const char* sql) {
        run(fmt::format(fmt::runtime(sql), fmt::arg("years", size.years), fmt::arg("organisations", size.organisations),
                        fmt::arg("documents", size.documents)));
    };
    run_with_size(make_helpers);
    run_with_size(fill_ledger);
    const std::string definition =
        testing::query_value(database_url, "SELECT pg_get_indexdef('heiasync.usage_stats_pkey'::regclass)");
    run(drop_key);
    for (int year = 2026 - size.years; year <= 2026; ++year) {
        run(fmt::format(fmt::runtime(fill_usage_of_a_year), fmt::arg("year", year)));
    }
    run(fmt::format(fmt::runtime(make_key), fmt::arg("definition", definition)));
    run_with_size(fill_energy_levels);
    run_with_size(fill_skips);
    run("VACUUM ANALYZE");
}

}  // namespace heiasync::bench
