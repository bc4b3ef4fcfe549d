#include "history/sync_runs.hpp"

#include "history/erasures.hpp"
#include "history/notifications.hpp"
#include "history/session.hpp"
#include "history/transaction.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace heiasync::history {
namespace {

using namespace std::chrono_literals;

// Where the timeline is read: see run_lock.cpp.
constexpr Statement insert_run{
    "start a run",
    "INSERT INTO heiasync.sync_runs (trigger, run_on, scheduled_for, started_at, status, organisations, requests, "
    "failures, bytes_received, host, version, limited_to, timeline) "
    "VALUES ($1, $2, $3, $4, 'running', 0, 0, 0, 0, $5, $6, $7, "
    "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint) "
    "RETURNING sync_run_id"};
constexpr Statement close_running{
    "close the runs that died",
    "UPDATE heiasync.sync_runs SET status = 'interrupted', finished_at = greatest(started_at, $1::timestamptz), "
    "error = 'its process ended without closing it' WHERE status = 'running' RETURNING sync_run_id"};
constexpr Statement select_interrupted{
    "read which runs to continue",
    "WITH same AS (SELECT sync_run_id, status FROM heiasync.sync_runs "
    "              WHERE run_on = $1 AND limited_to IS NOT DISTINCT FROM $2) "
    "SELECT sync_run_id FROM same "
    "WHERE sync_run_id > coalesce((SELECT max(sync_run_id) FROM same WHERE status <> 'interrupted'), 0) "
    "ORDER BY sync_run_id"};
constexpr Statement select_slot{
    "read the slot of a run",
    "SELECT (extract(epoch FROM scheduled_for) * 1000000)::bigint FROM heiasync.sync_runs WHERE sync_run_id = $1"};
constexpr Statement select_settled_tasks{
    "read what earlier runs settled",
    "SELECT organisation_id, business_id, stream, period_start, report_id, status, "
    "       coalesce(reason = 'business_id_not_mapped', false), coalesce(reason = 'gate_unknown', false) "
    "FROM heiasync.sync_tasks AS task "
    "WHERE sync_run_id = ANY ($1::bigint[]) AND " NOT_ERASED("task")
    "  AND (status <> 'failed' OR http_status IN (400, 403, 404) OR reason = 'gate_unknown') "
    "ORDER BY sync_task_id"};
constexpr Statement select_reports_to_come{
    "read which listed reports are not stored",
    "SELECT organisation_id, report_id FROM heiasync.report_listings AS listed "
    "WHERE NOT EXISTS (SELECT FROM heiasync.report_versions AS stored "
    "                  WHERE stored.organisation_id = listed.organisation_id AND stored.report_id = listed.report_id "
    "                    AND stored.generated_at = listed.generated_at)"};
constexpr Statement compare_clocks{
    "compare the clocks", "SELECT (extract(epoch FROM clock_timestamp() - $1::timestamptz) * 1000000)::bigint"};
constexpr Statement update_run{"finish a run",
                               "UPDATE heiasync.sync_runs SET finished_at = $2, status = $3, organisations = $4, "
                               "requests = $5, failures = $6, bytes_received = $7, error = $8 "
                               "WHERE sync_run_id = $1 AND status = 'running'"};
constexpr Statement insert_stream_successes{
    "record which streams succeeded",
    "INSERT INTO heiasync.stream_successes (stream, sync_run_id, finished_at) "
    "SELECT stream, sync_run_id, finished_at FROM heiasync.sync_runs AS run "
    "CROSS JOIN unnest('{organisations,usage_stats,energy_levels,reports}'::text[]) AS streams (stream) "
    "WHERE sync_run_id = $1 AND limited_to IS NULL AND status IN ('succeeded', 'partial') AND error IS NULL "
    "  AND stream NOT IN ("
    "    SELECT stream FROM heiasync.sync_tasks AS task WHERE task.run_on = run.run_on "
    "      AND " NOT_ERASED("task")
    "    GROUP BY stream, organisation_id, business_id, period_start, report_id HAVING bool_and(task.status = "
    "'failed')) "
    "ON CONFLICT DO NOTHING"};
constexpr Statement upsert_drift{
    "record schema drift",
    "INSERT INTO heiasync.schema_drift AS drift (stream, json_pointer, kind, sample_type, first_seen_at, last_seen_at) "
    "SELECT $1, pointer, kind, sample_type, $5, $5 "
    "FROM unnest($2::text[], $3::text[], $4::text[]) AS seen (pointer, kind, sample_type) "
    "GROUP BY pointer, kind, sample_type ORDER BY pointer, kind, sample_type "
    "ON CONFLICT (stream, json_pointer, kind, sample_type) "
    "DO UPDATE SET first_seen_at = least(drift.first_seen_at, excluded.first_seen_at), "
    "  last_seen_at = greatest(drift.last_seen_at, excluded.last_seen_at) "
    "WHERE excluded.first_seen_at < drift.first_seen_at OR excluded.last_seen_at > drift.last_seen_at"};
constexpr Statement insert_settings{
    "record the settings",
    "INSERT INTO heiasync.settings_history (valid_from, time_zone, daily_at, api_time_zone, reporting_period_months, "
    "minimum_accepted_members, max_days_late, stats_per_business_id, energy_levels_per_business_id, size_classes) "
    "SELECT $1::timestamptz, said.* "
    "FROM (SELECT $2::text, $3::time, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::boolean, $9::boolean, "
    "$10::bigint[]) AS said "
    "WHERE said IS DISTINCT FROM (SELECT newest FROM (SELECT time_zone, daily_at, api_time_zone, "
    "reporting_period_months, minimum_accepted_members, max_days_late, stats_per_business_id, "
    "energy_levels_per_business_id, size_classes "
    "FROM heiasync.settings_history ORDER BY settings_id DESC LIMIT 1) AS newest)"};
constexpr Statement select_period_lengths{
    "read the lengths of reporting periods",
    "SELECT (extract(epoch FROM valid_from) * 1000000)::bigint, time_zone, reporting_period_months "
    "FROM heiasync.settings_history ORDER BY settings_id"};
constexpr Statement ask_for_ledger{"look for the ledger", "SELECT to_regclass('heiasync.sync_runs') IS NOT NULL"};
constexpr Statement read_origin{
    "read whose history this is",
    "SELECT EXISTS (SELECT FROM heiasync.sync_runs), EXISTS (SELECT FROM heiasync.rehearsal)"};
constexpr Statement ask_for_rehearsal{"ask for a rehearsal", "SELECT EXISTS (SELECT FROM heiasync.rehearsal)"};
constexpr Statement move_rehearsal{
    "move the simulated time",
    "UPDATE heiasync.rehearsal SET simulated_now = greatest(simulated_now, $1::timestamptz)"};
constexpr Statement begin_rehearsal{
    "begin a rehearsal",
    "INSERT INTO heiasync.rehearsal (only_row, began_at, simulated_now) SELECT true, $1::timestamptz, $1::timestamptz "
    "WHERE NOT EXISTS (SELECT FROM heiasync.sync_runs)"};

// In the order of their enumerators.
constexpr std::array<std::string_view, 5> trigger_names{"schedule", "catch_up", "retry", "resume", "manual"};
constexpr std::array<std::string_view, 5> run_status_names{"running", "succeeded", "partial", "failed", "interrupted"};
constexpr std::array<std::string_view, 4> stream_names{"organisations", "usage_stats", "energy_levels", "reports"};
constexpr std::array<std::string_view, 3> task_status_names{"done", "skipped", "failed"};

template <class Enum, std::size_t Size>
std::string_view name_of(const std::array<std::string_view, Size>& names, Enum value) {
    return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t Size>
Enum named(const std::array<std::string_view, Size>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
        throw std::logic_error{"the ledger has a word that this program does not know"};
    }
    return static_cast<Enum>(found - names.begin());
}

std::string_view to_string(documents::Drift::Kind kind) {
    switch (kind) {
        case documents::Drift::Kind::unknown_field:
            return "unknown_field";
        case documents::Drift::Kind::other_type:
            return "other_type";
        case documents::Drift::Kind::duplicate_field:
            return "duplicate_field";
    }
    throw std::logic_error{"no such kind of drift"};
}

}  // namespace

std::string_view to_string(Trigger trigger) {
    return name_of(trigger_names, trigger);
}

std::string_view to_string(RunStatus status) {
    return name_of(run_status_names, status);
}

std::string_view to_string(Stream stream) {
    return name_of(stream_names, stream);
}

std::string_view to_string(TaskStatus status) {
    return name_of(task_status_names, status);
}

Trigger trigger_of(std::string_view name) {
    return named<Trigger>(trigger_names, name);
}

RunStatus run_status_of(std::string_view name) {
    return named<RunStatus>(run_status_names, name);
}

Stream stream_of(std::string_view name) {
    return named<Stream>(stream_names, name);
}

TaskStatus task_status_of(std::string_view name) {
    return named<TaskStatus>(task_status_names, name);
}

std::int64_t start_run(Transaction& transaction, const NewRun& run) {
    const auto id = transaction
                        .run(insert_run, to_string(run.trigger), run.run_on, run.scheduled_for, run.started_at,
                             run.host, run.version, run.limited_to)[0][0]
                        .as<std::int64_t>();
    notify_timeline_changed(transaction, id);
    return id;
}

std::int64_t close_dead_runs(Transaction& transaction, core::Instant found_at) {
    std::int64_t count = 0;
    for (const auto& row : transaction.run(close_running, found_at)) {
        notify_run_finished(transaction, row[0].as<std::int64_t>());
        ++count;
    }
    return count;
}

std::vector<std::int64_t> interrupted_runs(Transaction& transaction, core::Date run_on,
                                           const std::optional<std::string>& limited_to) {
    std::vector<std::int64_t> ids;
    for (const auto& row : transaction.run(select_interrupted, run_on, limited_to)) {
        ids.push_back(row[0].as<std::int64_t>());
    }
    return ids;
}

std::optional<core::Instant> scheduled_for(Transaction& transaction, std::int64_t sync_run_id) {
    return optional_instant(transaction.run(select_slot, sync_run_id)[0][0]);
}

SettledTasks settled_tasks(Transaction& transaction, const std::vector<std::int64_t>& sync_run_ids) {
    SettledTasks settled;
    if (sync_run_ids.empty()) {
        return settled;
    }
    for (const auto& row : transaction.run(select_settled_tasks, Value::array(sync_run_ids))) {
        TaskKey key;
        key.organisation_id = row[0].as<std::int64_t>();
        key.business_id = row[1].as<std::string>();
        key.stream = stream_of(row[2].as<std::string>());
        if (!row[3].is_null()) {
            key.period_start = core::parse_date(row[3].as<std::string>());
        }
        if (!row[4].is_null()) {
            key.report_id = row[4].as<std::int64_t>();
        }
        if (row[7].as<bool>()) {
            settled.unknown_gates.insert(std::move(key));
            continue;
        }
        if (key.stream == Stream::usage_stats && row[6].as<bool>()) {
            settled.not_mapped.emplace(key.organisation_id, key.business_id);
        }
        settled.tasks.insert_or_assign(std::move(key), named<TaskStatus>(task_status_names, row[5].as<std::string>()));
    }
    std::erase_if(settled.unknown_gates, [&settled](const TaskKey& gate) { return settled.tasks.contains(gate); });
    for (const auto& row : transaction.run(select_reports_to_come)) {
        settled.reports_to_come.emplace(row[0].as<std::int64_t>(), row[1].as<std::int64_t>());
    }
    return settled;
}

std::chrono::microseconds clock_difference(Transaction& transaction, core::Instant now) {
    return std::chrono::microseconds{transaction.run(compare_clocks, now)[0][0].as<std::int64_t>()};
}

void finish_run(Transaction& transaction, std::int64_t sync_run_id, const RunSummary& summary) {
    const auto updated =
        transaction.run(update_run, sync_run_id, summary.finished_at, to_string(summary.status), summary.organisations,
                        summary.requests, summary.failures, summary.bytes_received, summary.error);
    transaction.run(insert_stream_successes, sync_run_id);
    if (updated.affected_rows() > 0) {
        notify_run_finished(transaction, sync_run_id);
    }
}

void record_drift(Transaction& transaction, Stream stream, std::span<const documents::Drift> drift,
                  core::Instant seen_at) {
    if (drift.empty()) {
        return;
    }
    constexpr std::size_t longest_pointer = 1000;
    const auto pointer = [](const documents::Drift& item) {
        const std::string storable = storable_text(item.json_pointer);
        return Value{prefix(storable, longest_pointer)};
    };
    const auto kind = [](const documents::Drift& item) { return Value{to_string(item.kind)}; };
    const auto sample_type = [](const documents::Drift& item) { return Value{item.sample_type}; };
    transaction.run(upsert_drift, to_string(stream), Value::array(drift, pointer), Value::array(drift, kind),
                    Value::array(drift, sample_type), seen_at);
}

void record_settings(Transaction& transaction, const Settings& settings, core::Instant valid_from) {
    transaction.run(insert_settings, valid_from, settings.time_zone, settings.daily_at, settings.api_time_zone,
                    settings.reporting_period_months, settings.minimum_accepted_members, settings.max_days_late,
                    settings.stats_per_business_id, settings.energy_levels_per_business_id,
                    Value::array(settings.size_classes));
}

calendar::ReportingPeriods reporting_periods(Transaction& transaction) {
    std::optional<calendar::ReportingPeriods> periods;
    for (const auto& row : transaction.run(select_period_lengths)) {
        const int months = row[2].as<int>();
        if (!periods) {
            periods.emplace(months);
            continue;
        }
        const date::time_zone& zone = calendar::find_zone(row[1].as<std::string>());
        periods->change(calendar::local_date(instant_of(row[0]), zone), months);
    }
    if (!periods) {
        throw std::logic_error{"no settings are recorded"};
    }
    return *periods;
}

Origin origin(Transaction& transaction) {
    if (!transaction.run(ask_for_ledger)[0][0].as<bool>()) {
        return Origin::empty;
    }
    const auto row = transaction.run(read_origin)[0];
    if (!row[0].as<bool>()) {
        return Origin::empty;
    }
    return row[1].as<bool>() ? Origin::rehearsal : Origin::real;
}

Origin origin(const std::string& url) {
    constexpr Session::Limits limits{.statement = 60s, .lock = 10s};
    Session session{url, limits};
    Origin result = Origin::empty;
    session.transact([&result](Transaction& transaction) { result = origin(transaction); });
    return result;
}

bool is_rehearsal(Transaction& transaction) {
    return transaction.run(ask_for_rehearsal)[0][0].as<bool>();
}

void record_simulated_time(Transaction& transaction, core::Instant simulated_now) {
    if (transaction.run(move_rehearsal, simulated_now).affected_rows() > 0) {
        return;
    }
    if (transaction.run(begin_rehearsal, simulated_now).affected_rows() == 0) {
        throw std::logic_error{"a history that is no rehearsal's has no simulated time"};
    }
}

}  // namespace heiasync::history
