#include "history/day.hpp"

#include "history/erasures.hpp"
#include "history/session.hpp"
#include "history/transaction.hpp"

#include <algorithm>
#include <string>

namespace heiasync::history {
namespace {

constexpr Statement ask_for_running{"look for a run in hand",
                                    "SELECT EXISTS (SELECT FROM heiasync.sync_runs WHERE status = 'running')"};
constexpr Statement select_runs{
    "read the runs of a date",
    "SELECT sync_run_id, (extract(epoch FROM scheduled_for) * 1000000)::bigint, "
    "       (extract(epoch FROM started_at) * 1000000)::bigint, (extract(epoch FROM finished_at) * 1000000)::bigint, "
    "       status, error IS NOT NULL AND status IN ('partial', 'failed') "
    "FROM heiasync.sync_runs WHERE run_on = $1 AND limited_to IS NULL ORDER BY sync_run_id"};
// A gate that is unknown is mended by the statistics that it lacked, which failed themselves; a null count by nothing.
constexpr Statement ask_for_mendable{
    "look for what may be mended",
    "WITH task AS MATERIALIZED ("
    "  SELECT organisation_id, business_id, stream, period_start, report_id, "
    "         status = 'failed' AND (http_status IS NULL OR http_status NOT IN (400, 403, 404)) AS is_mendable, "
    "         coalesce(reason = 'gate_unknown', false) AS is_gate "
    "  FROM heiasync.sync_tasks AS task WHERE sync_run_id = ANY ($1::bigint[]) AND run_on = $2 "
    "    AND " NOT_ERASED("task") ") "
    "SELECT EXISTS (SELECT FROM task WHERE NOT is_gate GROUP BY organisation_id, business_id, stream, period_start, "
    "report_id HAVING bool_and(is_mendable))"};
constexpr Statement select_last_run{
    "read the last run of a date",
    "SELECT coalesce(max(sync_run_id), 0) FROM heiasync.sync_runs WHERE run_on = $1 AND limited_to IS NULL"};

}  // namespace

bool counts_for(const DayRun& run, core::Instant slot) {
    return run.scheduled_for || run.started_at >= slot;
}

std::vector<DayRun> whole_runs(Transaction& transaction, core::Date run_on) {
    std::vector<DayRun> runs;
    for (const auto& row : transaction.run(select_runs, run_on)) {
        DayRun run;
        run.sync_run_id = row[0].as<std::int64_t>();
        run.scheduled_for = optional_instant(row[1]);
        run.started_at = instant_of(row[2]);
        run.finished_at = optional_instant(row[3]);
        run.status = run_status_of(row[4].as<std::string>());
        run.ended_early = row[5].as<bool>();
        runs.push_back(run);
    }
    return runs;
}

bool had_its_run(const std::vector<DayRun>& runs, core::Instant slot) {
    return std::ranges::any_of(runs, [slot](const DayRun& run) {
        const bool has_ended = run.status == RunStatus::succeeded || run.status == RunStatus::partial;
        return counts_for(run, slot) && has_ended && !run.ended_early;
    });
}

std::vector<std::int64_t> slot_runs(Transaction& transaction, core::Date run_on, core::Instant slot) {
    std::vector<std::int64_t> ids;
    for (const DayRun& run : whole_runs(transaction, run_on)) {
        if (counts_for(run, slot)) {
            ids.push_back(run.sync_run_id);
        }
    }
    return ids;
}

DayState day_state(Transaction& transaction, core::Date run_on, core::Instant slot, const LockTaker& taker) {
    if (transaction.run(ask_for_running)[0][0].as<bool>() && take_run_lock_for_a_moment(transaction, taker)) {
        close_dead_runs(transaction, taker.taken_at);
    }
    DayState state;
    state.runs = whole_runs(transaction, run_on);
    std::vector<std::int64_t> counted;
    for (const DayRun& run : state.runs) {
        if (counts_for(run, slot)) {
            counted.push_back(run.sync_run_id);
            // Only how the last one ended tells what the others left.
            state.mendable = run.ended_early;
        }
    }
    if (!counted.empty() && !state.mendable) {
        state.mendable = transaction.run(ask_for_mendable, Value::array(counted), run_on)[0][0].as<bool>();
    }
    return state;
}

std::int64_t last_whole_run(Transaction& transaction, core::Date run_on) {
    return transaction.run(select_last_run, run_on)[0][0].as<std::int64_t>();
}

}  // namespace heiasync::history
