#include "history/status.hpp"

#include "history/erasures.hpp"
#include "history/run_lock.hpp"
#include "history/session.hpp"
#include "history/transaction.hpp"

#include <algorithm>

namespace heiasync::history {
namespace {

constexpr Statement select_last_runs{
    "read the last runs",
    "SELECT sync_run_id, trigger, run_on, (extract(epoch FROM scheduled_for) * 1000000)::bigint, "
    "       (extract(epoch FROM started_at) * 1000000)::bigint, (extract(epoch FROM finished_at) * 1000000)::bigint, "
    "       status, organisations, requests, failures, bytes_received, error, host, version, limited_to "
    "FROM heiasync.sync_runs WHERE $2::date IS NULL OR run_on = $2 ORDER BY sync_run_id DESC LIMIT $1"};
constexpr Statement select_last_successes{
    "read when each stream last succeeded",
    "SELECT stream, (SELECT (extract(epoch FROM finished_at) * 1000000)::bigint "
    "                FROM heiasync.stream_successes AS success WHERE success.stream = streams.stream "
    "                ORDER BY sync_run_id DESC LIMIT 1) "
    "FROM unnest('{organisations,usage_stats,energy_levels,reports}'::text[]) AS streams (stream)"};
// A task that was done stays done where a later run of the date asks for the same once more and fails.
constexpr Statement select_open_failures{
    "read what failed on a date",
    "SELECT organisation_id, business_id, stream, period_start, report_id, "
    "       (array_agg(reason ORDER BY sync_task_id DESC))[1], (array_agg(http_status ORDER BY sync_task_id DESC))[1] "
    "FROM heiasync.sync_tasks AS task WHERE run_on = $1 AND " NOT_ERASED("task")
    " GROUP BY organisation_id, business_id, stream, period_start, report_id HAVING bool_and(status = 'failed') "
    "ORDER BY stream, organisation_id, business_id, period_start, report_id"};
constexpr Statement count_drift_rows{"count what the API has that is unknown",
                                     "SELECT count(*) FROM heiasync.schema_drift"};
constexpr Statement select_simulated_now{
    "read the simulated time", "SELECT (extract(epoch FROM simulated_now) * 1000000)::bigint FROM heiasync.rehearsal"};

std::vector<RunRecord> read_runs(Transaction& transaction, int count, std::optional<core::Date> run_on) {
    std::vector<RunRecord> runs;
    for (const auto& row : transaction.run(select_last_runs, count, run_on)) {
        RunRecord run;
        run.sync_run_id = row[0].as<std::int64_t>();
        run.trigger = trigger_of(row[1].as<std::string>());
        run.run_on = date_of(row[2]);
        run.scheduled_for = optional_instant(row[3]);
        run.started_at = instant_of(row[4]);
        run.finished_at = optional_instant(row[5]);
        run.status = run_status_of(row[6].as<std::string>());
        run.organisations = row[7].as<std::int64_t>();
        run.requests = row[8].as<std::int64_t>();
        run.failures = row[9].as<std::int64_t>();
        run.bytes_received = row[10].as<std::int64_t>();
        run.error = optional_value<std::string>(row[11]);
        run.host = row[12].as<std::string>();
        run.version = row[13].as<std::string>();
        run.limited_to = optional_value<std::string>(row[14]);
        runs.push_back(std::move(run));
    }
    return runs;
}

}  // namespace

std::vector<RunRecord> last_runs(Transaction& transaction, int count, std::optional<core::Date> run_on) {
    std::vector<RunRecord> runs = read_runs(transaction, count, run_on);
    const auto is_running = [](const RunRecord& run) { return run.status == RunStatus::running; };
    if (std::ranges::none_of(runs, is_running) || is_run_lock_held(transaction)) {
        return runs;
    }
    // Nobody works on them any more. One that has ended between the two looks is closed in the next.
    runs = read_runs(transaction, count, run_on);
    for (RunRecord& run : runs) {
        run.status = is_running(run) ? RunStatus::interrupted : run.status;
    }
    return runs;
}

std::map<Stream, std::optional<core::Instant>> last_successes(Transaction& transaction) {
    std::map<Stream, std::optional<core::Instant>> successes;
    for (const auto& row : transaction.run(select_last_successes)) {
        successes.emplace(stream_of(row[0].as<std::string>()), optional_instant(row[1]));
    }
    return successes;
}

std::vector<OpenFailure> open_failures(Transaction& transaction, core::Date run_on) {
    std::vector<OpenFailure> failures;
    for (const auto& row : transaction.run(select_open_failures, run_on)) {
        OpenFailure failure;
        failure.organisation_id = row[0].as<std::int64_t>();
        failure.business_id = row[1].as<std::string>();
        failure.stream = stream_of(row[2].as<std::string>());
        failure.period_start = optional_date(row[3]);
        failure.report_id = optional_value<std::int64_t>(row[4]);
        failure.reason = optional_value<std::string>(row[5]);
        failure.http_status = optional_value<int>(row[6]);
        failures.push_back(std::move(failure));
    }
    return failures;
}

std::int64_t count_drift(Transaction& transaction) {
    return transaction.run(count_drift_rows)[0][0].as<std::int64_t>();
}

std::optional<core::Instant> simulated_now(Transaction& transaction) {
    const auto rows = transaction.run(select_simulated_now);
    return rows.empty() ? std::nullopt : std::optional{instant_of(rows[0][0])};
}

}  // namespace heiasync::history
