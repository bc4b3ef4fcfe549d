#include "history/sync_runs.hpp"

#include "history/session.hpp"
#include "history/transaction.hpp"

#include <stdexcept>

namespace heiasync::history {
namespace {

using namespace std::chrono_literals;

// The timeline is read from the name of the log file that is written now: it is right from the first moment after a
// failover, unlike that of the last checkpoint.
// 1214605665 is 'Heia'; under it 2 is the lock of a run.
constexpr Statement lock_runs{"take the run lock", "SELECT pg_try_advisory_lock(1214605665, 2)"};
constexpr Statement insert_run{
    "start a run",
    "INSERT INTO heiasync.sync_runs (trigger, run_on, scheduled_for, started_at, status, organisations, requests, "
    "failures, bytes_received, host, version, timeline) "
    "VALUES ($1, $2, $3, $4, 'running', 0, 0, 0, 0, $5, $6, "
    "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint) "
    "RETURNING sync_run_id"};
constexpr Statement update_run{"finish a run",
                               "UPDATE heiasync.sync_runs SET finished_at = $2, status = $3, organisations = $4, "
                               "requests = $5, failures = $6, bytes_received = $7, error = $8 WHERE sync_run_id = $1"};
constexpr Statement insert_task{
    "record a task",
    "INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, period_start, "
    "report_id, status, reason, attempts, http_status, error, started_at, finished_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING sync_task_id"};
constexpr Statement upsert_drift{
    "record schema drift",
    "INSERT INTO heiasync.schema_drift AS drift (stream, json_pointer, kind, sample_type, first_seen_at, last_seen_at) "
    "SELECT $1, pointer, kind, sample_type, $5, $5 "
    "FROM unnest($2::text[], $3::text[], $4::text[]) AS seen (pointer, kind, sample_type) "
    "GROUP BY pointer, kind, sample_type ORDER BY pointer, kind, sample_type "
    "ON CONFLICT (stream, json_pointer, kind, sample_type) "
    "DO UPDATE SET last_seen_at = excluded.last_seen_at WHERE drift.last_seen_at < excluded.last_seen_at"};
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
constexpr Statement ask_for_ledger{"look for the ledger", "SELECT to_regclass('heiasync.sync_runs') IS NOT NULL"};
constexpr Statement read_origin{
    "read whose history this is",
    "SELECT EXISTS (SELECT FROM heiasync.sync_runs), EXISTS (SELECT FROM heiasync.rehearsal)"};
constexpr Statement move_rehearsal{
    "move the simulated time",
    "UPDATE heiasync.rehearsal SET simulated_now = greatest(simulated_now, $1::timestamptz)"};
constexpr Statement begin_rehearsal{
    "begin a rehearsal",
    "INSERT INTO heiasync.rehearsal (only_row, began_at, simulated_now) SELECT true, $1::timestamptz, $1::timestamptz "
    "WHERE NOT EXISTS (SELECT FROM heiasync.sync_runs)"};

std::string_view to_string(documents::Drift::Kind kind) {
    return kind == documents::Drift::Kind::unknown_field ? "unknown_field" : "other_type";
}

}  // namespace

std::string_view to_string(Trigger trigger) {
    switch (trigger) {
        case Trigger::schedule:
            return "schedule";
        case Trigger::catch_up:
            return "catch_up";
        case Trigger::retry:
            return "retry";
        case Trigger::resume:
            return "resume";
        case Trigger::manual:
            return "manual";
    }
    throw std::logic_error{"no such trigger"};
}

std::string_view to_string(RunStatus status) {
    switch (status) {
        case RunStatus::running:
            return "running";
        case RunStatus::succeeded:
            return "succeeded";
        case RunStatus::partial:
            return "partial";
        case RunStatus::failed:
            return "failed";
        case RunStatus::interrupted:
            return "interrupted";
    }
    throw std::logic_error{"no such run status"};
}

std::string_view to_string(Stream stream) {
    switch (stream) {
        case Stream::organisations:
            return "organisations";
        case Stream::usage_stats:
            return "usage_stats";
        case Stream::energy_levels:
            return "energy_levels";
        case Stream::reports:
            return "reports";
    }
    throw std::logic_error{"no such stream"};
}

std::string_view to_string(TaskStatus status) {
    switch (status) {
        case TaskStatus::done:
            return "done";
        case TaskStatus::skipped:
            return "skipped";
        case TaskStatus::failed:
            return "failed";
    }
    throw std::logic_error{"no such task status"};
}

bool take_run_lock(Transaction& transaction) {
    return transaction.run(lock_runs)[0][0].as<bool>();
}

std::int64_t start_run(Transaction& transaction, const NewRun& run) {
    return transaction
        .run(insert_run, to_string(run.trigger), run.run_on, run.scheduled_for, run.started_at, run.host,
             run.version)[0][0]
        .as<std::int64_t>();
}

void finish_run(Transaction& transaction, std::int64_t sync_run_id, const RunSummary& summary) {
    transaction.run(update_run, sync_run_id, summary.finished_at, to_string(summary.status), summary.organisations,
                    summary.requests, summary.failures, summary.bytes_received, summary.error);
}

std::int64_t record_task(Transaction& transaction, const TaskRecord& task) {
    return transaction
        .run(insert_task, task.sync_run_id, task.run_on, task.organisation_id, task.business_id, to_string(task.stream),
             task.period_start, task.report_id, to_string(task.status), task.reason, task.attempts, task.http_status,
             task.error, task.started_at, task.finished_at)[0][0]
        .as<std::int64_t>();
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

Origin origin(const std::string& url) {
    constexpr Session::Limits limits{.statement = 60s, .lock = 10s};
    Session session{url, limits};
    Origin result = Origin::empty;
    session.transact([&result](Transaction& transaction) {
        if (!transaction.run(ask_for_ledger)[0][0].as<bool>()) {
            return;
        }
        const auto row = transaction.run(read_origin)[0];
        if (row[0].as<bool>()) {
            result = row[1].as<bool>() ? Origin::rehearsal : Origin::real;
        }
    });
    return result;
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
