#include "history/notifications.hpp"

#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

constexpr Statement run_finished{
    "signal the end of a run",
    "SELECT pg_notify('heiasync', json_build_object("
    "'event', 'run_finished', 'sync_run_id', sync_run_id, 'run_on', run_on, 'trigger', trigger, 'status', status, "
    "'organisations', organisations, 'requests', requests, 'failures', failures, "
    "'sync_task_id', (SELECT coalesce(max(sync_task_id), 0) FROM heiasync.sync_tasks), "
    "'gaps', heiasync.gap_counts(run_on))::text) "
    "FROM heiasync.sync_runs WHERE sync_run_id = $1 AND " QUEUE_HAS_ROOM};
constexpr Statement timeline_changed{
    "signal another timeline",
    "SELECT pg_notify('heiasync', json_build_object("
    "'event', 'timeline_changed', 'timeline', run.timeline, 'previous_timeline', previous.timeline, "
    "'resume_after_sync_task_id', (SELECT coalesce(max(sync_task_id), 0) FROM heiasync.sync_tasks))::text) "
    "FROM heiasync.sync_runs AS run "
    "CROSS JOIN LATERAL (SELECT timeline FROM heiasync.sync_runs WHERE sync_run_id < run.sync_run_id "
    "                    ORDER BY sync_run_id DESC LIMIT 1) AS previous "
    "WHERE run.sync_run_id = $1 AND run.timeline <> previous.timeline AND " QUEUE_HAS_ROOM};

}  // namespace

void notify_run_finished(Transaction& transaction, std::int64_t sync_run_id) {
    transaction.run(run_finished, sync_run_id);
}

void notify_timeline_changed(Transaction& transaction, std::int64_t sync_run_id) {
    transaction.run(timeline_changed, sync_run_id);
}

}  // namespace heiasync::history
