#include "history/sync_runs.hpp"

#include "history/sync_tasks.hpp"
#include "history_test.hpp"

#include <map>

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class SyncRunsTest : public HistoryTest {};

constexpr core::Date run_on = 2026_y / 7 / 1;
const core::Instant morning = date::sys_days{run_on} + 1h + 30min + 250ms;

TEST_F(SyncRunsTest, ARunIsOpenedAndClosed) {
    NewRun run;
    run.trigger = Trigger::catch_up;
    run.run_on = run_on;
    run.scheduled_for = morning;
    run.started_at = morning + 1s;
    run.host = "a host";
    run.version = "1.2.3";
    const auto id = transact([&](Transaction& transaction) { return start_run(transaction, run); });
    EXPECT_THAT(
        query("SELECT trigger, run_on, scheduled_for, started_at, finished_at, status, organisations, requests, "
              "failures, bytes_received, error, host, version, timeline FROM heiasync.sync_runs"),
        ElementsAre(ElementsAre("catch_up", "2026-07-01", "2026-07-01 01:30:00.25+00", "2026-07-01 01:30:01.25+00",
                                "NULL", "running", "0", "0", "0", "0", "NULL", "a host", "1.2.3", "1")));

    RunSummary summary;
    summary.finished_at = morning + 1h;
    summary.status = RunStatus::partial;
    summary.organisations = 4;
    summary.requests = 5;
    summary.failures = 6;
    summary.bytes_received = 5'000'000'000;
    summary.error = "api_unavailable";
    transact([&](Transaction& transaction) { finish_run(transaction, id, summary); });
    EXPECT_THAT(query("SELECT sync_run_id, finished_at, status, organisations, requests, failures, bytes_received, "
                      "error FROM heiasync.sync_runs"),
                ElementsAre(ElementsAre(std::to_string(id), "2026-07-01 02:30:00.25+00", "partial", "4", "5", "6",
                                        "5000000000", "api_unavailable")));
}

TEST_F(SyncRunsTest, ATaskIsRecordedWithAllThatIsKnownAndWithNothing) {
    TaskRecord task;
    task.sync_run_id = start_manual_run(run_on);
    task.run_on = run_on;
    task.started_at = morning;
    task.finished_at = morning + 1s;
    transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    task.organisation_id = 3'000'000'000;
    task.business_id = "b";
    task.stream = Stream::energy_levels;
    task.period_start = 2026_y / 6 / 1;
    task.report_id = 9;
    task.status = TaskStatus::failed;
    task.reason = "a reason";
    task.attempts = 3;
    task.http_status = 500;
    task.error = "an error";
    transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    EXPECT_THAT(
        query("SELECT run_on, organisation_id, business_id, stream, period_start, report_id, status, reason, attempts, "
              "http_status, error, started_at, finished_at FROM heiasync.sync_tasks ORDER BY sync_task_id"),
        ElementsAre(
            ElementsAre("2026-07-01", "0", "", "organisations", "NULL", "NULL", "done", "NULL", "0", "NULL", "NULL",
                        "2026-07-01 01:30:00.25+00", "2026-07-01 01:30:01.25+00"),
            ElementsAre("2026-07-01", "3000000000", "b", "energy_levels", "2026-06-01", "9", "failed", "a reason", "3",
                        "500", "an error", "2026-07-01 01:30:00.25+00", "2026-07-01 01:30:01.25+00")));
}

TEST_F(SyncRunsTest, ARunThatDiedIsClosedAsInterrupted) {
    start_manual_run(run_on);
    const auto close = [](Transaction& transaction) { return close_dead_runs(transaction, morning); };
    EXPECT_EQ(transact(close), 1);
    EXPECT_EQ(transact(close), 0);
    EXPECT_THAT(query("SELECT status, finished_at FROM heiasync.sync_runs"),
                ElementsAre(ElementsAre("interrupted", "2026-07-01 01:30:00.25+00")));
}

TEST_F(SyncRunsTest, InterruptedRunsAreContinuedOnTheirDateWithTheirLimitsSinceTheLastOneThatEnded) {
    const auto interrupted = [this](core::Date date, const std::optional<std::string>& limited_to) {
        return transact([&](Transaction& transaction) { return interrupted_runs(transaction, date, limited_to); });
    };
    const auto run = [this](core::Date date, const std::optional<std::string>& limited_to, RunStatus status) {
        NewRun row;
        row.run_on = date;
        row.limited_to = limited_to;
        row.started_at = morning;
        return transact([&](Transaction& transaction) {
            const auto id = start_run(transaction, row);
            RunSummary summary;
            summary.finished_at = morning;
            summary.status = status;
            finish_run(transaction, id, summary);
            return id;
        });
    };
    const core::Date tomorrow = 2026_y / 7 / 2;
    EXPECT_THAT(interrupted(run_on, std::nullopt), IsEmpty());
    run(run_on, std::nullopt, RunStatus::interrupted);
    run(run_on, std::nullopt, RunStatus::partial);
    const auto first = run(run_on, std::nullopt, RunStatus::interrupted);
    const auto limited = run(run_on, "--stream reports", RunStatus::interrupted);
    run(run_on, "--stream usage-stats", RunStatus::succeeded);
    const auto second = run(run_on, std::nullopt, RunStatus::interrupted);
    EXPECT_THAT(interrupted(run_on, std::nullopt), ElementsAre(first, second));
    EXPECT_THAT(interrupted(run_on, "--stream reports"), ElementsAre(limited));
    EXPECT_THAT(interrupted(run_on, "--stream usage-stats"), IsEmpty());
    EXPECT_THAT(interrupted(tomorrow, std::nullopt), IsEmpty());
}

TEST_F(SyncRunsTest, WhatIsDoneSkippedOrRefusedForGoodIsSettled) {
    TaskRecord task;
    task.sync_run_id = start_manual_run(run_on);
    task.run_on = run_on;
    task.organisation_id = 7;
    task.stream = Stream::usage_stats;
    const auto record = [&] {
        transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
        const TaskKey& key = task;
        return key;
    };
    std::map<TaskKey, TaskStatus> settled;
    settled[record()] = TaskStatus::done;
    task.business_id = "b";
    task.status = TaskStatus::skipped;
    task.reason = "business_id_not_mapped";
    settled[record()] = TaskStatus::skipped;
    task.stream = Stream::energy_levels;
    task.period_start = 2026_y / 6 / 1;
    settled[record()] = TaskStatus::skipped;
    task.status = TaskStatus::failed;
    task.period_start.reset();
    task.stream = Stream::reports;
    for (const int status : {400, 403, 404}) {
        task.report_id = status;
        task.http_status = status;
        settled[record()] = TaskStatus::failed;
    }
    task.stream = Stream::energy_levels;
    task.report_id.reset();
    task.http_status.reset();
    task.reason = "gate_unknown";
    const TaskKey unknown_gate = record();
    task.period_start = 2026_y / 6 / 1;
    record();
    task.period_start.reset();
    task.reason = "http_status";
    task.stream = Stream::reports;
    for (const int status : {401, 500, 503}) {
        task.report_id = status;
        task.http_status = status;
        record();
    }
    task.report_id = 1;
    task.http_status.reset();
    record();

    const auto read = [](std::vector<std::int64_t> runs) {
        return [runs](Transaction& transaction) { return settled_tasks(transaction, runs); };
    };
    const SettledTasks found = transact(read({task.sync_run_id}));
    EXPECT_EQ(found.tasks, settled);
    EXPECT_THAT(found.unknown_gates, ElementsAre(unknown_gate)) << "the other was settled as skipped";
    EXPECT_THAT(found.not_mapped, ElementsAre(Subject{7, "b"}));
    EXPECT_THAT(transact(read({task.sync_run_id + 1})).tasks, IsEmpty());
}

TEST_F(SyncRunsTest, WhatWasErasedIsNotAmongWhatRunsSettled) {
    TaskRecord task;
    task.sync_run_id = start_manual_run(run_on);
    task.run_on = run_on;
    task.status = TaskStatus::failed;
    task.reason = "http_status";
    task.http_status = 403;
    const auto record = [&](std::int64_t organisation_id, Stream stream, std::optional<std::int64_t> report_id = {}) {
        task.organisation_id = organisation_id;
        task.stream = stream;
        task.report_id = report_id;
        transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    };
    record(7, Stream::usage_stats);
    record(8, Stream::reports, 1);
    record(8, Stream::reports, 2);
    record(8, Stream::reports);
    query(
        "INSERT INTO heiasync.erasures (what, organisation_id, report_id, erased_at, erased_by, rows) VALUES "
        "('organisation', 7, NULL, now(), 'somebody', 1), ('report', 8, 1, now(), 'somebody', 1), "
        "('open_answers', 8, 2, now(), 'somebody', 1)");
    const auto settled = [&] {
        std::vector<std::pair<std::int64_t, std::int64_t>> keys;
        const SettledTasks found =
            transact([&](Transaction& transaction) { return settled_tasks(transaction, {task.sync_run_id}); });
        for (const auto& [key, status] : found.tasks) {
            keys.emplace_back(key.organisation_id, key.report_id.value_or(0));
        }
        return keys;
    };
    EXPECT_THAT(settled(), UnorderedElementsAre(Pair(8, 0), Pair(8, 2)));
    query("UPDATE heiasync.erasures SET lifted_at = now()");
    EXPECT_THAT(settled(), UnorderedElementsAre(Pair(7, 0), Pair(8, 0), Pair(8, 1), Pair(8, 2)));
}

TEST_F(SyncRunsTest, ADriftSeenInAnEarlierDocumentLaterIsAsOldAsThat) {
    const std::vector<documents::Drift> drift{{"/x", documents::Drift::Kind::unknown_field, "string"}};
    for (const auto seen_at : {morning, morning - 48h, morning - 24h, morning + 24h}) {
        transact([&](Transaction& transaction) { record_drift(transaction, Stream::reports, drift, seen_at); });
    }
    EXPECT_THAT(query("SELECT first_seen_at, last_seen_at FROM heiasync.schema_drift"),
                ElementsAre(ElementsAre("2026-06-29 01:30:00.25+00", "2026-07-02 01:30:00.25+00")));
}

TEST_F(SyncRunsTest, ATaskIsLookedUpByAllThatTellsItApart) {
    TaskRecord task;
    task.sync_run_id = start_manual_run(run_on);
    task.run_on = run_on;
    task.organisation_id = 7;
    task.business_id = "b";
    task.stream = Stream::energy_levels;
    task.period_start = 2026_y / 6 / 1;
    transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    const auto recorded = [this](const TaskRecord& record) {
        return transact([&](Transaction& transaction) { return is_recorded(transaction, record); });
    };
    EXPECT_TRUE(recorded(task));
    const auto with = [&task](auto member, auto value) {
        TaskRecord other = task;
        other.*member = value;
        return other;
    };
    EXPECT_FALSE(recorded(with(&TaskRecord::sync_run_id, task.sync_run_id + 1)));
    EXPECT_FALSE(recorded(with(&TaskRecord::organisation_id, 8)));
    EXPECT_FALSE(recorded(with(&TaskRecord::business_id, "")));
    EXPECT_FALSE(recorded(with(&TaskRecord::stream, Stream::reports)));
    EXPECT_FALSE(recorded(with(&TaskRecord::period_start, std::nullopt)));
    EXPECT_FALSE(recorded(with(&TaskRecord::report_id, 3)));
}

TEST_F(SyncRunsTest, TheServersClockIsCompared) {
    const auto difference = transact([](Transaction& transaction) {
        const auto now = date::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        return clock_difference(transaction, now - 1h);
    });
    EXPECT_GE(difference, 1h);
    EXPECT_LT(difference, 1h + 5min);
}

TEST_F(SyncRunsTest, TheNamesOfTheLedgerAreThoseOfTheSchema) {
    const auto allowed = [this](const std::string& table, const std::string& column, const std::string& value) {
        return query_value("SELECT bool_or(pg_get_constraintdef(oid) LIKE '%''" + value +
                           "''%') FROM pg_constraint WHERE conrelid = 'heiasync." + table +
                           "'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%(" + column +
                           " = ANY%'");
    };
    for (const auto trigger :
         {Trigger::schedule, Trigger::catch_up, Trigger::retry, Trigger::resume, Trigger::manual}) {
        EXPECT_EQ(allowed("sync_runs", "trigger", std::string{to_string(trigger)}), "t") << to_string(trigger);
    }
    for (const auto status :
         {RunStatus::running, RunStatus::succeeded, RunStatus::partial, RunStatus::failed, RunStatus::interrupted}) {
        EXPECT_EQ(allowed("sync_runs", "status", std::string{to_string(status)}), "t") << to_string(status);
    }
    for (const auto stream : {Stream::organisations, Stream::usage_stats, Stream::energy_levels, Stream::reports}) {
        EXPECT_EQ(allowed("sync_tasks", "stream", std::string{to_string(stream)}), "t") << to_string(stream);
        EXPECT_EQ(allowed("schema_drift", "stream", std::string{to_string(stream)}), "t") << to_string(stream);
    }
    for (const auto status : {TaskStatus::done, TaskStatus::skipped, TaskStatus::failed}) {
        EXPECT_EQ(allowed("sync_tasks", "status", std::string{to_string(status)}), "t") << to_string(status);
    }
}

TEST_F(SyncRunsTest, DriftIsNotedOnceAndSeenAgain) {
    using documents::Drift;
    const std::vector<Drift> both{{"/items/*/colour", Drift::Kind::unknown_field, "string"},
                                  {"/items/*/name", Drift::Kind::other_type, "null"},
                                  {"/items/*/colour", Drift::Kind::unknown_field, "string"}};
    const std::vector<Drift> one{both.front()};
    const auto record = [this](const std::vector<Drift>& drift, core::Instant at) {
        transact([&](Transaction& transaction) { record_drift(transaction, Stream::organisations, drift, at); });
    };
    record(both, morning);
    record(one, morning + 24h);
    record(one, morning + 1h);
    record({}, morning + 48h);
    EXPECT_THAT(query("SELECT stream, json_pointer, kind, sample_type, first_seen_at, last_seen_at "
                      "FROM heiasync.schema_drift ORDER BY json_pointer"),
                ElementsAre(ElementsAre("organisations", "/items/*/colour", "unknown_field", "string",
                                        "2026-07-01 01:30:00.25+00", "2026-07-02 01:30:00.25+00"),
                            ElementsAre("organisations", "/items/*/name", "other_type", "null",
                                        "2026-07-01 01:30:00.25+00", "2026-07-01 01:30:00.25+00")));
}

TEST_F(SyncRunsTest, HostileDriftIsCutAndMadeStorable) {
    std::string pointer = std::string{"/"} + '\0' + "\xff";
    for (int i = 0; i < 3000; ++i) {
        pointer += "\xC3\xA4";
    }
    const std::vector<documents::Drift> drift{{pointer, documents::Drift::Kind::unknown_field, "string"}};
    transact([&](Transaction& transaction) { record_drift(transaction, Stream::reports, drift, morning); });
    EXPECT_THAT(query("SELECT octet_length(json_pointer), left(json_pointer, 4) FROM heiasync.schema_drift"),
                ElementsAre(ElementsAre("999", "/\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA4")));
}

TEST_F(SyncRunsTest, SettingsAreKeptWhenTheyChange) {
    Settings settings;
    settings.time_zone = "Europe/Helsinki";
    settings.daily_at = "04:30";
    settings.api_time_zone = "UTC";
    settings.size_classes = {50, 10000};
    const auto record = [&](core::Instant at) {
        transact([&](Transaction& transaction) { record_settings(transaction, settings, at); });
    };
    record(morning);
    record(morning + 1h);
    settings.daily_at = "05:00";
    record(morning + 2h);
    settings.daily_at = "04:30";
    record(morning + 3h);
    record(morning + 4h);
    EXPECT_THAT(query("SELECT valid_from, time_zone, daily_at, api_time_zone, reporting_period_months, "
                      "minimum_accepted_members, max_days_late, stats_per_business_id, energy_levels_per_business_id, "
                      "size_classes FROM heiasync.settings_history ORDER BY valid_from"),
                ElementsAre(ElementsAre("2026-07-01 01:30:00.25+00", "Europe/Helsinki", "04:30:00", "UTC", "1", "5",
                                        "7", "t", "t", "{50,10000}"),
                            ElementsAre("2026-07-01 03:30:00.25+00", "Europe/Helsinki", "05:00:00", "UTC", "1", "5",
                                        "7", "t", "t", "{50,10000}"),
                            ElementsAre("2026-07-01 04:30:00.25+00", "Europe/Helsinki", "04:30:00", "UTC", "1", "5",
                                        "7", "t", "t", "{50,10000}")));
}

TEST_F(SyncRunsTest, ReportingPeriodsFollowTheSettings) {
    Settings settings{"Europe/Helsinki", "04:30", "UTC", 1, 5, 7, true, true, {50}};
    const auto record = [&](int months, core::Date on) {
        settings.reporting_period_months = months;
        const core::Instant evening = date::sys_days{on} + 21h + 30min;
        transact([&](Transaction& transaction) { record_settings(transaction, settings, evening); });
    };
    record(1, 2026_y / 1 / 15);
    record(3, 2026_y / 6 / 30);  // in Helsinki it is 1 July
    const auto periods = transact([](Transaction& transaction) { return reporting_periods(transaction); });
    EXPECT_EQ(periods.containing(2026_y / 7 / 1).end, 2026_y / 7 / 31);
    EXPECT_EQ(periods.containing(2026_y / 10 / 1).end, 2026_y / 12 / 31);
}

TEST_F(SyncRunsTest, ARehearsalIsTold) {
    const auto simulate = [this](core::Instant at) {
        transact([at](Transaction& transaction) { record_simulated_time(transaction, at); });
    };
    EXPECT_EQ(origin(url), Origin::empty);
    simulate(morning);
    EXPECT_EQ(origin(url), Origin::empty) << "it has no run";
    start_manual_run(run_on);
    EXPECT_EQ(origin(url), Origin::rehearsal);
    simulate(morning + 1h);
    simulate(morning);
    EXPECT_THAT(query("SELECT began_at, simulated_now FROM heiasync.rehearsal"),
                ElementsAre(ElementsAre("2026-07-01 01:30:00.25+00", "2026-07-01 02:30:00.25+00")));
}

TEST_F(SyncRunsTest, ARealHistoryNeverBecomesARehearsal) {
    start_manual_run(run_on);
    EXPECT_EQ(origin(url), Origin::real);
    EXPECT_THROW(transact([](Transaction& transaction) { record_simulated_time(transaction, morning); }),
                 std::logic_error);
    EXPECT_EQ(origin(url), Origin::real);
}

}  // namespace
}  // namespace heiasync::history
