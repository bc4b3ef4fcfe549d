#include "content.hpp"
#include "daemon.hpp"
#include "support/postgres.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <chrono>
#include <csignal>
#include <string>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto boundary_day = "2026-07-01";
constexpr auto noon = "2026-06-15T12:00:00+03:00";

simulator::Violation::Kind twice() {
    return simulator::Violation::Kind::report_downloaded_twice;
}

class SignalsTest : public ::testing::Test {
protected:
    SignalsTest() {
        installation.tolerate(twice());
        installation.make_every_count_known(boundary_day);
    }

    void expect_completed_by_the_next_start() {
        Daemon next{installation, after_slot(boundary_day)};
        next.wait_for_runs(1);
        next.stop();
        EXPECT_EQ(difference({"2026-07-01|succeeded"},
                             installation.lines("SELECT run_on, status FROM heiasync.sync_runs WHERE status <> "
                                                "'interrupted'")),
                  "");
        EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.energy_levels"), 0);
    }

    Installation installation{tiny_world()};
};

class StoppedDuring : public SignalsTest, public ::testing::WithParamInterface<Operation> {};

TEST_P(StoppedDuring, EndsAndTheNextStartCompletesTheRun) {
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.operation = GetParam();
    hang.after = GetParam() == Operation::organisations ? 0 : 2;
    installation.api().fail(hang);
    {
        Daemon daemon{installation, after_slot(boundary_day)};
        installation.api().wait_for_requests(hang.after + 1, GetParam());
        const Outcome outcome = daemon.stop();
        EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
        EXPECT_THAT(outcome.err, Not(HasSubstr("still hangs")));
    }
    installation.api().clear_faults();
    expect_completed_by_the_next_start();
}

INSTANTIATE_TEST_SUITE_P(Calls, StoppedDuring,
                         ::testing::Values(Operation::organisations, Operation::stats, Operation::energy_levels,
                                           Operation::reports, Operation::full_data),
                         [](const auto& operation) {
                             return "call_" + std::to_string(static_cast<int>(operation.param));
                         });

TEST_F(SignalsTest, AStopEndsTheDaemonWhileACommitHangs) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    {
        pqxx::connection connection{installation.database_url()};
        pqxx::work lock{connection};
        lock.exec("LOCK TABLE heiasync.sync_tasks IN EXCLUSIVE MODE");
        Daemon daemon{installation, after_slot(boundary_day)};
        wait_until([&] { return installation.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; });
        const Outcome outcome = daemon.stop();
        EXPECT_THAT(outcome.err, HasSubstr("something still hangs"));
    }
    expect_completed_by_the_next_start();
}

TEST_F(SignalsTest, AStopEndsTheDaemonWhileAConnectionHangs) {
    // A server whose backlog is full answers no further connection attempt.
    boost::asio::io_context loop;
    using boost::asio::ip::tcp;
    tcp::acceptor acceptor{loop};
    acceptor.open(tcp::v4());
    acceptor.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    tcp::socket first{loop};
    first.connect(acceptor.local_endpoint());
    const YAML::Node base_url = YAML::Clone(installation.config()["api"]["base_url"]);
    installation.config()["api"]["base_url"] = fmt::format("http://127.0.0.1:{}", acceptor.local_endpoint().port());
    {
        Daemon daemon{installation, after_slot(boundary_day)};
        daemon.wait_for_log("run 1 started");
        const Outcome outcome = daemon.stop();
        EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
    }
    installation.config()["api"]["base_url"] = base_url;
    expect_completed_by_the_next_start();
}

TEST_F(SignalsTest, AStopEndsTheDaemonWhileANameLookUpHangs) {
    if (is_sanitized()) {
        GTEST_SKIP() << "its library wants to be loaded first";
    }
    const YAML::Node base_url = YAML::Clone(installation.config()["api"]["base_url"]);
    installation.config()["api"]["base_url"] = fmt::format("http://localhost:{}", installation.api().port());
    {
        Daemon daemon{installation, after_slot(boundary_day), Daemon::Pace::real, {{"LD_PRELOAD", HANGING_NAMES}}};
        daemon.wait_for_log("run 1 started");
        const Outcome outcome = daemon.stop();
        EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
    }
    installation.config()["api"]["base_url"] = base_url;
    expect_completed_by_the_next_start();
}

TEST_F(SignalsTest, AStopEndsTheDaemonWhileTheDatabaseDoesNotAnswer) {
    boost::asio::io_context loop;
    using boost::asio::ip::tcp;
    tcp::acceptor silent{loop, {boost::asio::ip::address_v4::loopback(), 0}};
    installation.config()["database"]["url"] =
        fmt::format("postgresql://127.0.0.1:{}/x", silent.local_endpoint().port());
    Daemon daemon{installation, after_slot(boundary_day)};
    const tcp::socket connected = silent.accept();
    EXPECT_THAT(daemon.stop().err, HasSubstr("something still hangs"));
}

TEST_F(SignalsTest, AStopEndsAnIdleDaemon) {
    Daemon daemon{installation, "2026-07-01T01:00:00+03:00"};
    daemon.wait_for_log("the next run is due at 2026-07-01 04:30:00 +03:00");
    EXPECT_THAT(daemon.stop().err, HasSubstr("heiasyncd stopped"));
    expect_completed_by_the_next_start();
}

TEST_F(SignalsTest, ASecondSignalEndsTheDaemonAtOnce) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
    lock.exec("LOCK TABLE heiasync.sync_tasks IN EXCLUSIVE MODE");
    Daemon daemon{installation, after_slot(boundary_day)};
    wait_until([&] { return installation.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; });
    daemon.signal(SIGTERM);
    daemon.wait_for_log("SIGTERM: stopping");
    daemon.signal(SIGINT);
    EXPECT_EQ(daemon.wait().exit_code, 130);
}

TEST_F(SignalsTest, UserSignalStartsARunAndOneOnly) {
    Daemon daemon{installation, "2026-06-15T01:00:00+03:00"};
    daemon.wait_for_log("the next run is due");
    Fault slow;
    slow.kind = Fault::Kind::delay;
    slow.operation = Operation::organisations;
    slow.interval = std::chrono::milliseconds{500};
    slow.times = 1;
    installation.api().fail(slow);
    daemon.signal(SIGUSR1);
    daemon.wait_for_log("run 1 started: manual");
    daemon.signal(SIGUSR1);
    daemon.wait_for_log("a run is going on already");
    daemon.wait_for_log("run 1 succeeded");
    daemon.stop();
    EXPECT_EQ(difference({"manual|succeeded|NULL"},
                         installation.lines("SELECT trigger, status, scheduled_for FROM heiasync.sync_runs")),
              "");
}

TEST_F(SignalsTest, AnEarlierSlotIsRunAtOnceAfterAReloadAndOnce) {
    installation.config()["schedule"]["daily_at"] = "23:00";
    Daemon daemon{installation, noon};
    daemon.wait_for_log("the next run is due at 2026-06-15 23:00:00");
    installation.config()["schedule"]["daily_at"] = "04:30";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log(R"(schedule.daily_at: "23:00" -> "04:30")");
    daemon.wait_for_log("run 1 started: catch_up, for 2026-06-15");
    daemon.wait_for_log("run 1 succeeded");
    installation.config()["schedule"]["daily_at"] = "23:00";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log("the next run is due at 2026-06-16 23:00:00");
    daemon.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded|2026-06-15 01:30:00+00"},
                         installation.lines("SELECT run_on, trigger, status, scheduled_for FROM heiasync.sync_runs")),
              "");
    EXPECT_EQ(difference({"04:30:00|t", "23:00:00|t"},
                         installation.lines("SELECT daily_at, valid_from >= '2026-06-15 09:00:00+00' FROM "
                                            "heiasync.settings_history")),
              "");
}

TEST_F(SignalsTest, AReloadDuringARunLeavesItAlone) {
    Fault slow;
    slow.kind = Fault::Kind::delay;
    slow.operation = Operation::organisations;
    slow.interval = std::chrono::milliseconds{500};
    installation.api().fail(slow);
    Daemon daemon{installation, after_slot(boundary_day)};
    daemon.wait_for_log("run 1 started");
    installation.config()["energy_levels"]["max_days_late"] = 0;
    installation.config()["energy_levels"]["minimum_accepted_members"] = 1'000'000;
    installation.config()["api"]["email"] = "another@example.com";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log("the configuration is in force: api.email: ");
    daemon.wait_for_log("run 1 succeeded");
    daemon.wait_for_log("the next run is due at 2026-07-02 04:30:00");
    daemon.stop();
    EXPECT_EQ(difference({"7", "0"}, installation.lines("SELECT max_days_late FROM heiasync.settings_history")), "");
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.energy_levels"), 0) << "by the gate of its start";
}

TEST_F(SignalsTest, AReloadToADatabaseThatCannotBeUsedIsRefused) {
    Daemon daemon{installation, "2026-07-01T01:00:00+03:00"};
    daemon.wait_for_log("the next run is due");
    const std::string url = installation.database_url();
    const auto reload = [&](const std::string& database_url) {
        installation.config()["database"]["url"] = database_url;
        static_cast<void>(installation.command({}));
        daemon.signal(SIGHUP);
    };
    reload(PostgresServer::shared().create_database_in("LATIN1"));
    daemon.wait_for_log("the earlier one stays in force: ");
    installation.config()["database"]["migrate_on_start"] = false;
    reload(PostgresServer::shared().create_database());
    daemon.wait_for_log("the earlier one stays in force: ");
    daemon.signal(SIGUSR1);
    daemon.wait_for_log("succeeded");
    const Outcome outcome = daemon.stop();
    EXPECT_THAT(outcome.err, HasSubstr("UTF8"));
    EXPECT_THAT(outcome.err, HasSubstr("heiasyncd migrate"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 1) << "in " << url;
}

TEST_F(SignalsTest, ManyReloadsChangeNothingAndLeakNothing) {
    Daemon daemon{installation, "2026-07-01T01:00:00+03:00"};
    daemon.wait_for_log("the next run is due");
    const int reloads = long_tests() ? 1000 : 40;
    std::size_t descriptors = 0;
    std::size_t memory = 0;
    const auto reload = [&](int number) {
        if (number % 2 == 0) {
            installation.write(installation.config_file().filename(), "schedule: {daily_at: \"25:00\", colour: red}\n");
        } else {
            installation.config()["schedule"]["retry_interval"] = fmt::format("{}min", 10 + number % 7);
            static_cast<void>(installation.command({}));
        }
        daemon.signal(SIGHUP);
        daemon.wait_for_log(number % 2 == 0 ? "the earlier one stays in force" : "the configuration is in force");
    };
    for (int number = 0; number < reloads; ++number) {
        reload(number);
        if (number == reloads / 4) {
            descriptors = daemon.descriptors();
            memory = daemon.memory_in_kb();
        }
    }
    // The database of the last look may still be open, or may have been then.
    EXPECT_LE(daemon.descriptors(), descriptors + 4);
    if (long_tests()) {
        EXPECT_LE(daemon.memory_in_kb(), memory + 2000);
    }
    Fault slow;
    slow.kind = Fault::Kind::hang;
    slow.operation = Operation::stats;
    slow.times = 1;
    installation.api().fail(slow);
    installation.config()["api"]["request_timeout"] = "3s";
    reload(1);
    daemon.signal(SIGUSR1);
    installation.api().wait_for_requests(1, Operation::stats);
    for (int number = 0; number < 6; ++number) {
        reload(number);
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status = 'running'"), 1);
    daemon.wait_for_log("succeeded");
    const Outcome outcome = daemon.stop();
    EXPECT_THAT(outcome.err, HasSubstr("heiasyncd.yaml:1:"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 1);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.settings_history"), 1) << "none of them decides";
}

}  // namespace

}  // namespace heiasync::testing
