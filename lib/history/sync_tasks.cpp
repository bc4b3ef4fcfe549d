#include "history/sync_tasks.hpp"

#include "history/notifications.hpp"
#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
#define INSERT_TASKS                                                                                                  \
    "INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, period_start, "      \
    "report_id, status, reason, attempts, http_status, error, started_at, finished_at, stored_at) "                   \
    "SELECT * FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::text[], $5::text[], $6::date[], $7::bigint[], " \
    "$8::text[], $9::text[], $10::integer[], $11::integer[], $12::text[], $13::timestamptz[], $14::timestamptz[], "   \
    "$15::timestamptz[])"
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr RowsStatement insert_tasks{{"record a task", INSERT_TASKS}};
// A business id that would make an event too large to be sent is left out of it.
constexpr RowsStatement insert_document_tasks{
    {"record the task of a document",
     "WITH task AS (" INSERT_TASKS " RETURNING *), "
     "event AS ("
     "    SELECT json_build_object('event', 'energy_levels_stored', 'organisation_id', organisation_id, "
     "           'business_id', CASE WHEN octet_length(business_id) <= 1000 THEN business_id END, "
     "           'period_start', period_start, 'period_end', period_end, "
     "           'energy_level_id', energy_level_id, 'sync_task_id', sync_task_id)::text AS payload "
     "    FROM task JOIN heiasync.energy_levels USING (organisation_id, business_id, period_start, sync_run_id) "
     "    WHERE stream = 'energy_levels' "
     "    UNION ALL "
     "    SELECT json_build_object('event', 'report_stored', 'organisation_id', organisation_id, "
     "           'report_id', report_id, 'report_version_id', stored.report_version_id, "
     "           'sync_task_id', sync_task_id)::text "
     "    FROM task CROSS JOIN LATERAL ("
     "        SELECT max(report_version_id) AS report_version_id FROM heiasync.report_versions AS version "
     "        WHERE version.organisation_id = task.organisation_id AND version.report_id = task.report_id "
     "          AND version.sync_run_id = task.sync_run_id) AS stored "
     "    WHERE stream = 'reports' AND stored.report_version_id IS NOT NULL) "
     "SELECT pg_notify('heiasync', payload) FROM event WHERE " QUEUE_HAS_ROOM}};
constexpr Statement ask_for_task{
    "look for a task",
    "SELECT EXISTS (SELECT FROM heiasync.sync_tasks "
    "WHERE organisation_id = $1 AND sync_run_id = $2 AND business_id = $3 AND stream = $4 "
    "  AND period_start IS NOT DISTINCT FROM $5::date AND report_id IS NOT DISTINCT FROM $6::bigint)"};

bool brought_a_document(const TaskRecord& task) {
    return task.status == TaskStatus::done && (task.stream == Stream::energy_levels || task.report_id);
}

}  // namespace

void record_task(Transaction& transaction, const TaskRecord& task, core::Instant stored_at) {
    transaction.add_row(brought_a_document(task) ? insert_document_tasks : insert_tasks, task.sync_run_id, task.run_on,
                        task.organisation_id, task.business_id, to_string(task.stream), task.period_start,
                        task.report_id, to_string(task.status), task.reason, task.attempts, task.http_status,
                        task.error, task.started_at, task.finished_at, stored_at);
}

bool is_recorded(Transaction& transaction, const TaskRecord& task) {
    return transaction
        .run(ask_for_task, task.organisation_id, task.sync_run_id, task.business_id, to_string(task.stream),
             task.period_start, task.report_id)[0][0]
        .as<bool>();
}

}  // namespace heiasync::history
