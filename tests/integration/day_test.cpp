#include "history/day.hpp"

#include "history/sync_tasks.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr core::Date today = 2026_y / 7 / 1;
const core::Instant slot = date::sys_days{today} + 1h + 30min;

class DayTest : public HistoryTest {
protected:
    struct Kind {
        std::optional<core::Instant> scheduled_for;
        core::Instant started_at = slot;
        RunStatus status = RunStatus::partial;
        std::optional<std::string> error = std::nullopt;
        std::optional<std::string> limited_to = std::nullopt;
        core::Date run_on = today;
    };

    std::int64_t run(const Kind& kind) {
        NewRun row;
        row.run_on = kind.run_on;
        row.scheduled_for = kind.scheduled_for;
        row.started_at = kind.started_at;
        row.limited_to = kind.limited_to;
        return transact([&](Transaction& transaction) {
            const auto id = start_run(transaction, row);
            if (kind.status != RunStatus::running) {
                RunSummary summary;
                summary.finished_at = kind.started_at + 15min;
                summary.status = kind.status;
                summary.error = kind.error;
                finish_run(transaction, id, summary);
            }
            return id;
        });
    }

    void task(std::int64_t run_id, TaskStatus status, std::optional<int> http_status = {},
              const std::optional<std::string>& reason = {}, std::int64_t organisation_id = 7) {
        TaskRecord record;
        record.sync_run_id = run_id;
        record.run_on = today;
        record.organisation_id = organisation_id;
        record.stream = Stream::usage_stats;
        record.status = status;
        record.http_status = http_status;
        record.reason = reason;
        transact([&](Transaction& transaction) { record_task(transaction, record, record.finished_at); });
    }

    DayState state() {
        return transact([](Transaction& transaction) {
            return day_state(transaction, today, slot, {"host", 1, "test", slot + 2h});
        });
    }
};

TEST_F(DayTest, HasItsRunsOverAllOrganisationsInTheirOrder) {
    EXPECT_THAT(state().runs, IsEmpty());
    EXPECT_EQ(transact([](Transaction& transaction) { return last_whole_run(transaction, today); }), 0);
    const auto manual = run({.scheduled_for = {}, .started_at = slot - 1h, .status = RunStatus::succeeded});
    const auto scheduled = run({.scheduled_for = slot});
    run({.scheduled_for = {}, .limited_to = "--stream reports"});
    run({.scheduled_for = slot - 24h, .run_on = 2026_y / 6 / 30});
    const auto runs = state().runs;
    ASSERT_THAT(runs, ElementsAre(Field(&DayRun::sync_run_id, manual), Field(&DayRun::sync_run_id, scheduled)));
    EXPECT_EQ(runs[0].scheduled_for, std::nullopt);
    EXPECT_EQ(runs[0].started_at, slot - 1h);
    EXPECT_EQ(runs[0].status, RunStatus::succeeded);
    EXPECT_EQ(runs[1].scheduled_for, slot);
    EXPECT_EQ(runs[1].finished_at, slot + 15min);
    EXPECT_EQ(transact([](Transaction& transaction) { return last_whole_run(transaction, today); }), scheduled);
}

TEST_F(DayTest, CountsForItsSlotWhatWasStartedForItOrAfterIt) {
    run({.scheduled_for = {}, .started_at = slot - 1us});
    const auto at_slot = run({.scheduled_for = {}, .started_at = slot});
    const auto for_earlier_slot = run({.scheduled_for = slot - 1h, .started_at = slot - 1h});
    EXPECT_THAT(transact([](Transaction& transaction) { return slot_runs(transaction, today, slot); }),
                ElementsAre(at_slot, for_earlier_slot));
}

TEST_F(DayTest, ClosesWhatDiedAndLeavesWhatLives) {
    const auto id = run({.scheduled_for = slot, .status = RunStatus::running});
    Database other{loop.get_executor(), url};
    auto take = [](Transaction& transaction) {
        return take_run_lock(transaction, {"host", 1, "run", slot}).has_value();
    };
    ASSERT_TRUE(heiasync::testing::run(loop, other.transact(take)));
    EXPECT_THAT(state().runs, ElementsAre(Field(&DayRun::status, RunStatus::running)));
    query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    while (query_value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0") {
    }
    const auto runs = state().runs;
    EXPECT_THAT(runs, ElementsAre(Field(&DayRun::status, RunStatus::interrupted)));
    EXPECT_EQ(runs[0].finished_at, slot + 2h);
    EXPECT_EQ(runs[0].sync_run_id, id);
}

TEST_F(DayTest, MayBeMendedWhereATaskFailedForNow) {
    const auto id = run({.scheduled_for = slot});
    task(id, TaskStatus::done);
    task(id, TaskStatus::skipped, 400, {}, 8);
    task(id, TaskStatus::failed, 403, "no_org_access", 9);
    task(id, TaskStatus::failed, {}, "gate_unknown", 10);
    EXPECT_FALSE(state().mendable);
    task(id, TaskStatus::failed, {}, "transport", 11);
    EXPECT_TRUE(state().mendable);
}

TEST_F(DayTest, IsMendedByARetry) {
    const auto first = run({.scheduled_for = slot});
    task(first, TaskStatus::failed, 200, "not_decodable");
    EXPECT_TRUE(state().mendable);
    const auto second = run({.scheduled_for = slot, .started_at = slot + 1h});
    task(second, TaskStatus::failed, 503, "http_status");
    EXPECT_TRUE(state().mendable);
    task(run({.scheduled_for = slot, .started_at = slot + 2h}), TaskStatus::failed, 404, "not_found");
    EXPECT_FALSE(state().mendable) << "it is final";
}

TEST_F(DayTest, MayBeMendedWhereItsLastRunEndedEarly) {
    run({.scheduled_for = slot, .error = "api_unavailable"});
    EXPECT_TRUE(state().mendable);
    run({.scheduled_for = slot, .started_at = slot + 1h});
    EXPECT_FALSE(state().mendable) << "the next one asked the rest";
}

TEST_F(DayTest, AManualRunBeforeTheSlotHasNothingToMend) {
    task(run({.scheduled_for = {}, .started_at = slot - 1h, .error = "api_unavailable"}), TaskStatus::failed);
    EXPECT_FALSE(state().mendable);
}

}  // namespace
}  // namespace heiasync::history
