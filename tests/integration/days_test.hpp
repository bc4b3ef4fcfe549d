#pragma once

#include "history_test.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

namespace heiasync::history {

/// Organisations 1 and 2, of which 2 has the business ids a and b; a slot at 04:30 in Finland.
class DaysTest : public HistoryTest {
protected:
    DaysTest() {
        set_settings("2026-06-01 00:00+03", true);
        query("INSERT INTO heiasync.rehearsal VALUES (true, '2026-06-01', '2026-06-01')");
        for (const auto& [id, business_ids] : {std::pair{1, "{}"}, std::pair{2, "{a,b}"}}) {
            query(
                fmt::format("INSERT INTO heiasync.organisation_versions (organisation_id, name, size_class, "
                            "multi_business_id, business_ids, listed, valid_from) "
                            "VALUES ({}, 'o', 50, {}, '{}', true, '2026-06-01 04:30+03')",
                            id, id == 2, business_ids));
        }
    }

    void set_settings(const std::string& valid_from, bool per_business_id) {
        query(
            fmt::format("INSERT INTO heiasync.settings_history (valid_from, time_zone, daily_at, api_time_zone, "
                        "reporting_period_months, minimum_accepted_members, max_days_late, stats_per_business_id, "
                        "energy_levels_per_business_id, size_classes) "
                        "VALUES ('{}', 'Europe/Helsinki', '04:30', 'Europe/Helsinki', 1, 5, 7, {}, {}, '{{50,10000}}')",
                        valid_from, per_business_id, per_business_id));
    }
    void now(const std::string& local) {
        query(fmt::format("UPDATE heiasync.rehearsal SET simulated_now = '{}+03'", local));
    }

    /// A run over everything at the slot of a date in June or July.
    std::int64_t run(const std::string& date, const std::string& status = "succeeded", const std::string& error = {}) {
        const bool is_going = status == "running";
        return std::stoll(query_value(fmt::format(
            "INSERT INTO heiasync.sync_runs (trigger, run_on, scheduled_for, started_at, finished_at, status, "
            "organisations, requests, failures, bytes_received, error, host, version, timeline) "
            "VALUES ('schedule', '{0}', '{0} 04:30+03', '{0} 04:30+03', {1}, '{2}', 2, 0, 0, 0, {3}, 'h', '1', 1) "
            "RETURNING sync_run_id",
            date, is_going ? "NULL" : "'" + date + " 05:00+03'", status, error.empty() ? "NULL" : "'" + error + "'")));
    }
    void list(std::int64_t run_id, const std::string& date, const std::string& ids = "{1,2}", bool complete = true,
              bool held_back = false) {
        query(
            fmt::format("INSERT INTO heiasync.listings (sync_run_id, run_on, listed_at, complete, held_back, "
                        "size_classes, organisation_ids) "
                        "VALUES ({}, '{}', '{} 04:30+03', {}, {}, '{{50}}', '{}')",
                        run_id, date, date, complete, held_back, ids));
    }
    void observe(std::int64_t run_id, const std::string& date, int organisation, const std::string& business_id = {}) {
        query(
            fmt::format("INSERT INTO heiasync.usage_stats (organisation_id, business_id, observed_at, observed_on, "
                        "extra, sync_run_id) VALUES ({}, '{}', '{} 04:31+03', '{}', '{{}}', {})",
                        organisation, business_id, date, date, run_id));
    }
    struct Details {
        std::string business_id;
        std::string period_start;
        std::string report_id;
        std::string reason;
        std::string http_status;
    };
    void task(std::int64_t run_id, const std::string& date, int organisation, const std::string& stream,
              const std::string& status, const Details& details = {}) {
        const auto or_null = [](const std::string& text) { return text.empty() ? "NULL" : "'" + text + "'"; };
        query(
            fmt::format("INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, "
                        "period_start, report_id, status, reason, attempts, http_status, error, started_at, "
                        "finished_at) VALUES ({}, '{}', {}, '{}', '{}', {}, {}, '{}', {}, 1, {}, {}, "
                        "'{} 04:31+03', '{} 04:31+03')",
                        run_id, date, organisation, details.business_id, stream, or_null(details.period_start),
                        or_null(details.report_id), status, or_null(details.reason), or_null(details.http_status),
                        status == "failed" ? "'it failed'" : "NULL", date, date));
    }
    /// Everything that is expected of an ordinary day.
    std::int64_t whole_day(const std::string& date) {
        const auto id = run(date);
        list(id, date);
        observe(id, date, 1);
        for (const auto* business_id : {"", "a", "b"}) {
            observe(id, date, 2, business_id);
        }
        task(id, date, 1, "reports", "done");
        task(id, date, 2, "reports", "done");
        return id;
    }
    void whole_days(int month, int first, int last) {
        for (int day = first; day <= last; ++day) {
            whole_day(fmt::format("2026-{:02}-{:02}", month, day));
        }
    }
    /// Of a version of organisation 1's report 9, as ready.
    void list_report(std::int64_t run_id, const std::string& generated_at) {
        query(
            fmt::format("INSERT INTO heiasync.report_listings (organisation_id, report_id, generated_at, "
                        "first_listed_at, sync_run_id, business_id) VALUES (1, 9, '{}', '{}', {}, '')",
                        generated_at, generated_at, run_id));
    }
};

}  // namespace heiasync::history
