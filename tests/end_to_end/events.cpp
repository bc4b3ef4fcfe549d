#include "events.hpp"

namespace heiasync::testing {

std::vector<std::string> events_due(const Installation& installation) {
    const auto events = installation.lines(R"(
        SELECT format('{"event":"energy_levels_stored","organisation_id":%s,"business_id":"%s","period_start":"%s",'
                      '"period_end":"%s","energy_level_id":%s,"sync_task_id":%s}',
                      organisation_id, business_id, period_start, period_end, energy_level_id, sync_task_id)
        FROM heiasync.energy_levels
        JOIN heiasync.sync_tasks USING (organisation_id, business_id, period_start, sync_run_id)
        WHERE stream = 'energy_levels' AND status = 'done'
        UNION ALL
        SELECT format('{"event":"report_stored","organisation_id":%s,"report_id":%s,"report_version_id":%s,'
                      '"sync_task_id":%s}',
                      organisation_id, report_id, report_version_id, sync_task_id)
        FROM heiasync.reports
        JOIN heiasync.sync_tasks USING (organisation_id, report_id, sync_run_id)
        WHERE stream = 'reports' AND status = 'done'
        UNION ALL
        SELECT format('{"event":"run_finished","sync_run_id":%s,"run_on":"%s","trigger":"%s","status":"%s",'
                      '"organisations":%s,"requests":%s,"failures":%s,"sync_task_id":%s}',
                      sync_run_id, run_on, trigger, status, organisations, requests, failures,
                      coalesce((SELECT max(sync_task_id) FROM heiasync.sync_tasks AS task
                                WHERE task.sync_run_id <= run.sync_run_id), 0))
        FROM heiasync.sync_runs AS run
        WHERE finished_at IS NOT NULL)");
    return {events.begin(), events.end()};
}

}  // namespace heiasync::testing
