#include "history/energy_levels.hpp"
#include "history/reports.hpp"
#include "history/run_lock.hpp"
#include "history/sync_tasks.hpp"
#include "history_test.hpp"
#include "support/listener.hpp"

#include <fmt/format.h>

namespace heiasync::history {
namespace {

using heiasync::testing::Listener;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr core::Date run_on = 2026_y / 7 / 1;
const core::Instant morning = date::sys_days{run_on} + 1h + 30min;

constexpr std::string_view document = R"({"teams": [], "questions": [], "instances": [{
    "organisation": {"participant_count": 9, "answer_count": 8, "insufficient_data": true}}]})";

/// What is heard on the channel `heiasync`, beside what is done.
class NotificationsTest : public HistoryTest {
protected:
    TaskRecord task(Stream stream, TaskStatus status = TaskStatus::done) const {
        TaskRecord result;
        result.sync_run_id = run;
        result.run_on = run_on;
        result.organisation_id = 7;
        result.stream = stream;
        result.status = status;
        result.started_at = morning;
        result.finished_at = morning;
        return result;
    }

    void record(const TaskRecord& what) {
        transact([&](Transaction& transaction) { record_task(transaction, what, morning); });
    }

    StoredDocument store_energy_levels_of(Transaction& transaction, const std::string& business_id) const {
        EnergyLevelsSnapshot snapshot;
        snapshot.sync_run_id = run;
        snapshot.organisation_id = 7;
        snapshot.business_id = business_id;
        snapshot.period_start = 2026_y / 6 / 1;
        snapshot.period_end = 2026_y / 6 / 30;
        const StoredDocument stored = store_energy_levels(transaction, snapshot, original_of(document));
        TaskRecord done = task(Stream::energy_levels);
        done.business_id = business_id;
        done.period_start = snapshot.period_start;
        record_task(transaction, done, morning);
        return stored;
    }

    StoredDocument store_report_of(Transaction& transaction, core::Instant generated_at) const {
        ReportSnapshot snapshot;
        snapshot.sync_run_id = run;
        snapshot.organisation_id = 7;
        snapshot.report.id = 99;
        snapshot.report.viewed = true;
        snapshot.report.data_instance_id = core::Secret{std::string{"of the report"}};
        snapshot.report.generated_at = generated_at;
        const StoredDocument stored = store_report(transaction, snapshot, original_of(document));
        TaskRecord done = task(Stream::reports);
        done.report_id = 99;
        record_task(transaction, done, morning);
        return stored;
    }

    void finish(std::int64_t id, RunStatus status) {
        RunSummary summary;
        summary.finished_at = morning;
        summary.status = status;
        summary.organisations = 4;
        summary.requests = 5;
        summary.failures = 6;
        transact([&](Transaction& transaction) { finish_run(transaction, id, summary); });
    }

    std::int64_t run = start_manual_run(run_on);
    Listener listener{url};
};

TEST_F(NotificationsTest, ARunThatEndsIsToldOnce) {
    record(task(Stream::usage_stats));
    finish(run, RunStatus::partial);
    const std::string event = fmt::format(
        R"({{"event":"run_finished","sync_run_id":{},"run_on":"2026-07-01","trigger":"manual","status":"partial",)"
        R"("organisations":4,"requests":5,"failures":6,"sync_task_id":1,"gaps":{{"open":0,"final":0}}}})",
        run);
    EXPECT_THAT(listener.heard(), ElementsAre(event));

    finish(run, RunStatus::succeeded);
    EXPECT_THAT(listener.heard(), IsEmpty()) << "it was closed already";
}

TEST_F(NotificationsTest, ARunThatDiedIsToldWhenItIsClosed) {
    start_manual_run(2026_y / 7 / 2);
    const auto close = [](Transaction& transaction) { close_dead_runs(transaction, morning); };
    transact(close);
    EXPECT_THAT(listener.heard(),
                ElementsAre(HasSubstr(R"("run_on":"2026-07-01","trigger":"manual","status":"interrupted")"),
                            HasSubstr(R"("run_on":"2026-07-02","trigger":"manual","status":"interrupted")")));
    transact(close);
    EXPECT_THAT(listener.heard(), IsEmpty());
}

TEST_F(NotificationsTest, ADocumentIsToldWithItsTask) {
    record(task(Stream::usage_stats));
    StoredDocument energy_levels;
    StoredDocument report;
    transact([&](Transaction& transaction) {
        energy_levels = store_energy_levels_of(transaction, "b");
        record_task(transaction, task(Stream::usage_stats), morning);
        report = store_report_of(transaction, morning);
    });
    const auto task_of = [this](const std::string& which) {
        return query_value("SELECT sync_task_id FROM heiasync.sync_tasks WHERE " + which);
    };
    EXPECT_THAT(listener.heard(),
                ElementsAre(fmt::format(R"({{"event":"energy_levels_stored","organisation_id":7,"business_id":"b",)"
                                        R"("period_start":"2026-06-01","period_end":"2026-06-30","energy_level_id":{},)"
                                        R"("sync_task_id":{}}})",
                                        energy_levels.id, task_of("stream = 'energy_levels'")),
                            fmt::format(R"({{"event":"report_stored","organisation_id":7,"report_id":99,)"
                                        R"("report_version_id":{},"sync_task_id":{}}})",
                                        report.id, task_of("report_id = 99"))));

    transact([&](Transaction& transaction) { report = store_report_of(transaction, morning + 1h); });
    EXPECT_THAT(listener.heard(), ElementsAre(HasSubstr(fmt::format(R"("report_version_id":{},)", report.id))));
}

TEST_F(NotificationsTest, NothingIsToldOfWhatStoresNoDocument) {
    transact([&](Transaction& transaction) {
        store_energy_levels_of(transaction, "");
        store_report_of(transaction, morning);
    });
    EXPECT_THAT(listener.heard(), SizeIs(2)) << "and then others fail, in the same run";
    record(task(Stream::organisations));
    record(task(Stream::usage_stats));
    record(task(Stream::reports));
    for (const auto status : {TaskStatus::skipped, TaskStatus::failed}) {
        TaskRecord of_energy_levels = task(Stream::energy_levels, status);
        of_energy_levels.period_start = 2026_y / 6 / 1;
        record(of_energy_levels);
        TaskRecord of_report = task(Stream::reports, status);
        of_report.report_id = 99;
        record(of_report);
    }
    EXPECT_THAT(listener.heard(), IsEmpty());
}

TEST_F(NotificationsTest, NothingIsToldOfWhatIsRolledBack) {
    EXPECT_THROW(transact([&](Transaction& transaction) {
                     store_energy_levels_of(transaction, "");
                     RunSummary summary;
                     summary.finished_at = morning;
                     finish_run(transaction, run, summary);
                     throw std::runtime_error{"undone"};
                 }),
                 std::runtime_error);
    EXPECT_THAT(listener.heard(), IsEmpty());
}

/// The server refuses an event of 8000 bytes, and with it all that the transaction stores.
TEST_F(NotificationsTest, NoBusinessIdMakesAnEventTooLarge) {
    const std::string longest(1000, '\x01');
    const std::string longer(1001, 'b');
    const std::string huge(20'000, 'b');
    for (const std::string& business_id : {longest, longer, huge}) {
        transact([&](Transaction& transaction) { store_energy_levels_of(transaction, business_id); });
    }
    EXPECT_THAT(listener.heard(), ElementsAre(HasSubstr(R"("business_id":"\u0001\u0001)"),
                                              HasSubstr(R"("business_id":null)"), HasSubstr(R"("business_id":null)")));
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_levels"), "3");
}

TEST_F(NotificationsTest, TheFirstRunOnAnotherTimelineTellsWhereToGoOn) {
    record(task(Stream::usage_stats));
    record(task(Stream::reports));
    start_manual_run(run_on);
    EXPECT_THAT(listener.heard(), IsEmpty()) << "of the first run, and of one on the same timeline";

    query("UPDATE heiasync.sync_runs SET timeline = 7");
    start_manual_run(run_on);
    EXPECT_THAT(listener.heard(), ElementsAre(R"({"event":"timeline_changed","timeline":1,"previous_timeline":7,)"
                                              R"("resume_after_sync_task_id":2})"));
    start_manual_run(run_on);
    EXPECT_THAT(listener.heard(), IsEmpty());
}

}  // namespace
}  // namespace heiasync::history
