#include "daemon.hpp"
#include "installation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <csignal>
#include <cstring>

namespace heiasync::testing {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto date = "2026-06-15";
constexpr int terminated = 143;
constexpr int interrupted = 130;
constexpr int busy = 75;

std::vector<std::string> sync_command(const Installation& installation) {
    return installation.command({"sync", "--simulated-time", after_slot(date)});
}

/// An API whose eleventh answer to stats never comes, and a sync that waits for it.
class Hanging : public ::testing::Test {
protected:
    Hanging() {
        simulator::Fault fault;
        fault.kind = simulator::Fault::Kind::hang;
        fault.operation = simulator::Operation::stats;
        fault.after = 10;
        installation.api().fail(fault);
    }

    void wait_for_the_hang() { installation.api().wait_for_requests(11, simulator::Operation::stats); }

    Installation installation;
};

class HangingFor : public Hanging, public ::testing::WithParamInterface<int> {};

TEST_P(HangingFor, StopsCleanlyAndTheNextSyncCompletesTheDay) {
    Process sync{sync_command(installation)};
    wait_for_the_hang();
    sync.signal(GetParam());
    const auto outcome = sync.wait();
    EXPECT_EQ(outcome.exit_code, GetParam() == SIGINT ? interrupted : terminated) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("heiasyncd sync"));
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "interrupted");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.usage_stats"),
              installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE stream = 'usage_stats' AND status = "
                                 "'done'"))
        << "what came is stored with its ledger row";

    installation.api().clear_faults();
    const auto next = installation.sync_on(date);
    EXPECT_EQ(next.exit_code, exit_code::done) << next;
}

INSTANTIATE_TEST_SUITE_P(Signals, HangingFor, ::testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& signal) { return std::string{::sigabbrev_np(signal.param)}; });

TEST_F(Hanging, ASecondSyncIsBusyAndAsksNothing) {
    Process sync{sync_command(installation)};
    wait_for_the_hang();
    const auto requests = installation.api().requests().size();
    const auto second = installation.sync_on(date);
    EXPECT_EQ(second.exit_code, busy) << second;
    EXPECT_THAT(second.err, AllOf(HasSubstr("another run is going on: run 1 (manual), by process "),
                                  HasSubstr(" organisations done"), HasSubstr("--wait")));
    EXPECT_THAT(second.out, IsEmpty());
    EXPECT_EQ(installation.api().requests().size(), requests);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 1);
    sync.signal(SIGTERM);
    EXPECT_EQ(sync.wait().exit_code, terminated);
}

TEST_F(Hanging, ASyncThatWaitsRunsOnceTheOtherHasEnded) {
    Process sync{sync_command(installation)};
    wait_for_the_hang();
    std::vector<std::string> command = sync_command(installation);
    command.emplace_back("--wait");
    Process waiting{command};
    waiting.wait_for_err("waiting: another run is going on");
    Process impatient{command};
    impatient.wait_for_err("waiting: another run is going on");
    impatient.signal(SIGINT);
    EXPECT_EQ(impatient.wait().exit_code, interrupted);
    installation.api().clear_faults();
    sync.signal(SIGTERM);
    EXPECT_EQ(sync.wait().exit_code, terminated);
    const auto outcome = waiting.wait();
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status <> 'interrupted'"), 1);
}

TEST_F(Hanging, TheSchemaDoesNotChangeUnderARun) {
    Process sync{sync_command(installation)};
    wait_for_the_hang();
    const auto migrate = installation.run({"migrate"});
    EXPECT_EQ(migrate.exit_code, busy) << migrate;
    EXPECT_THAT(migrate.err, HasSubstr("a run is going on (run 1 (manual), by process "));
    Process waiting{installation.command({"migrate", "--wait"})};
    sync.signal(SIGTERM);
    EXPECT_EQ(sync.wait().exit_code, terminated);
    EXPECT_EQ(waiting.wait().exit_code, exit_code::done);
}

TEST(Signals, DuringTheFirstTransactionEndTheRunAndNoMore) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
    lock.exec("LOCK TABLE heiasync.settings_history");
    Process sync{sync_command(installation)};
    wait_until([&] { return installation.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; });
    sync.signal(SIGINT);
    lock.abort();
    const auto outcome = sync.wait();
    EXPECT_EQ(outcome.exit_code, interrupted) << outcome;
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "interrupted");
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(Signals, AReaderThatIsGoneEndsNoRun) {
    Installation installation;
    auto command = sync_command(installation);
    std::string line;
    for (const auto& word : command) {
        line += "'" + word + "' ";
    }
    Process shell{{"/bin/sh", "-c", "(" + line + "2>&1; echo $? >&3) 3>&2 | head -n 0"}};
    const auto outcome = shell.wait();
    EXPECT_EQ(outcome.err, "0\n");
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "succeeded");
}

}  // namespace

}  // namespace heiasync::testing
