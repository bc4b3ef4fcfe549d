#include "history/status.hpp"

#include "history/day.hpp"
#include "history/sync_tasks.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr core::Date today = 2026_y / 7 / 1;
constexpr core::Date yesterday = 2026_y / 6 / 30;
const core::Instant slot = date::sys_days{today} + 1h + 30min;

class StatusTest : public HistoryTest {
protected:
    std::int64_t start(core::Instant at, const std::optional<std::string>& limited_to = {}) {
        NewRun row;
        row.trigger = Trigger::catch_up;
        row.run_on = core::Date{date::floor<date::days>(at)};
        row.scheduled_for = slot;
        row.started_at = at;
        row.limited_to = limited_to;
        row.host = "host";
        row.version = "1.2.3";
        return transact([&](Transaction& transaction) { return start_run(transaction, row); });
    }

    void finish(std::int64_t id, core::Instant at, RunStatus status, const std::optional<std::string>& error = {}) {
        RunSummary summary;
        summary.finished_at = at;
        summary.status = status;
        summary.organisations = 3;
        summary.requests = 7;
        summary.failures = 2;
        summary.bytes_received = 11;
        summary.error = error;
        transact([&](Transaction& transaction) { finish_run(transaction, id, summary); });
    }

    /// A run that takes a quarter of an hour.
    std::int64_t run(core::Instant at, RunStatus status, const std::optional<std::string>& error = {},
                     const std::optional<std::string>& limited_to = {}) {
        const auto id = start(at, limited_to);
        finish(id, at + 15min, status, error);
        return id;
    }

    TaskRecord task(std::int64_t run_id, Stream stream, TaskStatus status, std::int64_t organisation_id = 7) {
        TaskRecord record;
        record.sync_run_id = run_id;
        record.run_on = today;
        record.organisation_id = organisation_id;
        record.stream = stream;
        record.status = status;
        return record;
    }

    void record(const TaskRecord& task) {
        transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    }

    auto runs(int count = 10) {
        return transact([count](Transaction& transaction) { return last_runs(transaction, count); });
    }
    auto successes() {
        return transact([](Transaction& transaction) { return last_successes(transaction); });
    }
    auto failures(core::Date date = today) {
        return transact([date](Transaction& transaction) { return open_failures(transaction, date); });
    }
    bool had_run(core::Date date = today) {
        return transact([date](Transaction& transaction) {
            return had_its_run(whole_runs(transaction, date), date::sys_days{date} + 1h + 30min);
        });
    }
};

TEST_F(StatusTest, TheLastRunsAreTheNewestFirstAndAsTheLedgerHasThem) {
    EXPECT_THAT(runs(), IsEmpty());
    run(slot - 1h, RunStatus::succeeded);
    const auto second = run(slot, RunStatus::partial, "api_unavailable", "--stream reports");
    const auto third = run(slot + 1h, RunStatus::failed);
    EXPECT_THAT(runs(2), ElementsAre(Field(&RunRecord::sync_run_id, third), Field(&RunRecord::sync_run_id, second)));
    const RunRecord row = runs()[1];
    EXPECT_EQ(row.trigger, Trigger::catch_up);
    EXPECT_EQ(row.run_on, today);
    EXPECT_EQ(row.scheduled_for, slot);
    EXPECT_EQ(row.started_at, slot);
    EXPECT_EQ(row.finished_at, slot + 15min);
    EXPECT_EQ(row.status, RunStatus::partial);
    EXPECT_EQ(row.organisations, 3);
    EXPECT_EQ(row.requests, 7);
    EXPECT_EQ(row.failures, 2);
    EXPECT_EQ(row.bytes_received, 11);
    EXPECT_EQ(row.error, "api_unavailable");
    EXPECT_EQ(row.host, "host");
    EXPECT_EQ(row.version, "1.2.3");
    EXPECT_EQ(row.limited_to, "--stream reports");
}

TEST_F(StatusTest, ARunIsRunningWhileSomebodyHoldsTheLockAndInterruptedAfterwards) {
    start(slot);
    {
        Database other{loop.get_executor(), url};
        auto take = [](Transaction& transaction) {
            return take_run_lock(transaction, {"host", 1, "run", slot}).has_value();
        };
        ASSERT_TRUE(heiasync::testing::run(loop, other.transact(take)));
        EXPECT_THAT(runs(), ElementsAre(Field(&RunRecord::status, RunStatus::running)));
    }
    while (query_value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0") {
    }
    EXPECT_THAT(runs(), ElementsAre(AllOf(Field(&RunRecord::status, RunStatus::interrupted),
                                          Field(&RunRecord::finished_at, std::nullopt))));
    EXPECT_EQ(query_value("SELECT status FROM heiasync.sync_runs"), "running") << "to look changes nothing";
}

TEST_F(StatusTest, TheLockOfAnotherDatabaseIsAnothers) {
    start(slot);
    Database other{loop.get_executor(), PostgresServer::shared().create_migrated_database()};
    auto take = [](Transaction& transaction) {
        return take_run_lock(transaction, {"host", 1, "run", slot}).has_value();
    };
    ASSERT_TRUE(heiasync::testing::run(loop, other.transact(take)));
    EXPECT_THAT(runs(), ElementsAre(Field(&RunRecord::status, RunStatus::interrupted)));
}

TEST_F(StatusTest, AStreamSucceededInTheLastWholeRunWithoutAFailureOfIt) {
    EXPECT_THAT(successes(),
                ElementsAre(Pair(Stream::organisations, std::nullopt), Pair(Stream::usage_stats, std::nullopt),
                            Pair(Stream::energy_levels, std::nullopt), Pair(Stream::reports, std::nullopt)));
    run(slot - 24h, RunStatus::succeeded);
    const auto partial = start(slot);
    record(task(partial, Stream::usage_stats, TaskStatus::done));
    record(task(partial, Stream::usage_stats, TaskStatus::failed, 8));
    record(task(partial, Stream::energy_levels, TaskStatus::skipped));
    finish(partial, slot + 15min, RunStatus::partial);
    finish(partial, slot + 20min, RunStatus::partial);
    run(slot + 1h, RunStatus::partial, "api_unavailable");
    run(slot + 2h, RunStatus::failed, "listing failed");
    run(slot + 3h, RunStatus::succeeded, {}, "--stream usage-stats");
    run(slot + 4h, RunStatus::interrupted);
    start(slot + 5h);
    const auto ended = slot + 15min;
    EXPECT_THAT(successes(), ElementsAre(Pair(Stream::organisations, ended), Pair(Stream::usage_stats, ended - 24h),
                                         Pair(Stream::energy_levels, ended), Pair(Stream::reports, ended)));
}

TEST_F(StatusTest, ARetryThatLeavesAFailureOfItsDateIsNoSuccess) {
    const auto first = start(slot);
    record(task(first, Stream::reports, TaskStatus::failed, 8));
    record(task(first, Stream::reports, TaskStatus::failed, 9));
    finish(first, slot + 15min, RunStatus::partial);
    const auto retry = start(slot + 1h);
    record(task(retry, Stream::reports, TaskStatus::done, 8));
    finish(retry, slot + 1h + 15min, RunStatus::partial);
    EXPECT_EQ(successes().at(Stream::reports), std::nullopt) << "9 is still missing";
    const auto second_retry = start(slot + 2h);
    record(task(second_retry, Stream::reports, TaskStatus::done, 9));
    finish(second_retry, slot + 2h + 15min, RunStatus::succeeded);
    EXPECT_EQ(successes().at(Stream::reports), slot + 2h + 15min);
}

TEST_F(StatusTest, WhatFailedOnADateIsOpenUntilOneOfItsRunsHasSettledIt) {
    const auto first = run(slot, RunStatus::partial);
    TaskRecord stats = task(first, Stream::usage_stats, TaskStatus::failed);
    stats.reason = "transport";
    TaskRecord per_business_id = stats;
    per_business_id.business_id = "11-1";
    per_business_id.http_status = 403;
    per_business_id.reason = "no_org_access";
    TaskRecord period = task(first, Stream::energy_levels, TaskStatus::failed);
    period.period_start = 2026_y / 6 / 1;
    TaskRecord report = task(first, Stream::reports, TaskStatus::failed, 6);
    report.report_id = 42;
    for (const auto& record_of : {stats, per_business_id, period, report}) {
        record(record_of);
    }
    record(task(first, Stream::reports, TaskStatus::done, 6));
    const auto open = failures();
    ASSERT_EQ(open.size(), 4U);
    EXPECT_EQ(static_cast<const TaskKey&>(open[0]), period);
    EXPECT_EQ(static_cast<const TaskKey&>(open[1]), report);
    EXPECT_EQ(static_cast<const TaskKey&>(open[2]), stats);
    EXPECT_EQ(static_cast<const TaskKey&>(open[3]), per_business_id);
    EXPECT_EQ(open[2].reason, "transport");
    EXPECT_EQ(open[2].http_status, std::nullopt);
    EXPECT_EQ(open[3].http_status, 403);
    EXPECT_THAT(failures(yesterday), IsEmpty());

    const auto second = run(slot + 1h, RunStatus::partial);
    stats.sync_run_id = second;
    stats.status = TaskStatus::done;
    record(stats);
    per_business_id.sync_run_id = second;
    per_business_id.reason = "business_id_not_mapped";
    per_business_id.status = TaskStatus::skipped;
    record(per_business_id);
    period.sync_run_id = second;
    period.http_status = 500;
    period.reason = "http_status";
    record(period);
    EXPECT_THAT(failures(),
                ElementsAre(AllOf(Field(&OpenFailure::stream, Stream::energy_levels),
                                  Field(&OpenFailure::reason, "http_status"), Field(&OpenFailure::http_status, 500)),
                            Field(&OpenFailure::report_id, 42)));
    stats.sync_run_id = run(slot + 2h, RunStatus::partial);
    stats.status = TaskStatus::failed;
    record(stats);
    EXPECT_EQ(failures().size(), 2U) << "what is stored is not missing because it was asked for again";
}

TEST_F(StatusTest, ASlotHasHadItsRunOnceOneHasAskedEverything) {
    EXPECT_FALSE(had_run());
    run(slot, RunStatus::succeeded, {}, "--stream reports");
    run(slot, RunStatus::failed);
    run(slot, RunStatus::interrupted);
    run(slot, RunStatus::partial, "date_over");
    start(slot + 1h);
    EXPECT_FALSE(had_run());
    run(slot + 2h, RunStatus::partial);
    EXPECT_TRUE(had_run());
    run(slot + 3h, RunStatus::partial, "api_unavailable");
    EXPECT_TRUE(had_run()) << "it asked for what the one before had left";
    EXPECT_FALSE(had_run(yesterday));
}

TEST_F(StatusTest, AManualRunBeforeTheSlotIsNotItsRun) {
    const auto id = start_manual_run(today);
    finish(id, slot - 1h, RunStatus::succeeded);
    EXPECT_FALSE(had_run());
}

TEST_F(StatusTest, OnlyARehearsalHasASimulatedTime) {
    const auto look = [this] { return transact([](Transaction& transaction) { return simulated_now(transaction); }); };
    EXPECT_EQ(look(), std::nullopt);
    transact([](Transaction& transaction) { record_simulated_time(transaction, slot); });
    EXPECT_EQ(look(), slot);
}

}  // namespace
}  // namespace heiasync::history
