#include "daemon.hpp"

#include "content.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <csignal>
#include <set>
#include <sstream>
#include <string>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;
using ::testing::HasSubstr;

class DaemonTest : public ::testing::Test {
protected:
    DaemonTest() { installation.make_every_count_known("2026-07-01"); }

    std::set<std::string> runs() const {
        return installation.lines("SELECT run_on, trigger, status FROM heiasync.sync_runs");
    }
    std::set<std::string> lateness() const {
        return installation.lines("SELECT DISTINCT period_end, days_late FROM heiasync.energy_levels");
    }

    Installation installation{tiny_world()};
};

/// Each line of the log has the same keys.
std::string last_of_json_lines(const std::string& log) {
    std::istringstream lines{log};
    std::string last;
    for (std::string line; std::getline(lines, line); last = line) {
        EXPECT_THAT(line, ::testing::MatchesRegex(R"(\{"time":"[^"]*","level":"[a-z]*","message":".*"\})"));
    }
    return last;
}

TEST_F(DaemonTest, CatchesUpTodaysSlotAtItsStart) {
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_log("the next run is due at");
    const Outcome outcome = daemon.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded|2026-06-15 01:30:00+00"},
                         installation.lines("SELECT run_on, trigger, status, scheduled_for FROM heiasync.sync_runs")),
              "");
    EXPECT_THAT(outcome.err, HasSubstr("run 1 started: catch_up, for 2026-06-15"));
    EXPECT_THAT(outcome.err, HasSubstr("run 1 succeeded: "));
    EXPECT_THAT(outcome.err, HasSubstr("the next run is due at 2026-06-16 04:30:00 +03:00"));
}

TEST_F(DaemonTest, StartedAgainDoesNothingTwice) {
    for (int start = 0; start < 2; ++start) {
        Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
        daemon.wait_for_log("the next run is due");
        daemon.stop();
    }
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded"}, runs()), "");
}

TEST_F(DaemonTest, DownOverASlotAndBackTheNextDayRunsForThatDayAlone) {
    for (const char* start : {"2026-06-14T04:00:00+03:00", "2026-06-16T04:00:00+03:00"}) {
        Daemon daemon{installation, start};
        daemon.wait_for_log("the next run is due at");
        daemon.stop();
    }
    EXPECT_EQ(difference({}, runs()), "") << "no slot has come yet";
    Daemon daemon{installation, "2026-06-16T04:00:00+03:00", Daemon::Pace::jump};
    daemon.wait_for("2026-06-17T00:00:00Z");
    daemon.stop();
    EXPECT_EQ(runs().count("2026-06-16|schedule|succeeded"), 1U);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE run_on < '2026-06-16'"), 0);
}

TEST_F(DaemonTest, DownOverTheEndOfAMonthPullsItsPeriodLate) {
    {
        Daemon daemon{installation, "2026-06-30T07:30:00+03:00"};
        daemon.wait_for_runs(1);
        daemon.stop();
    }
    Daemon daemon{installation, "2026-07-03T07:30:00+03:00"};
    daemon.wait_for_runs(2);
    daemon.stop();
    EXPECT_EQ(difference({"2026-06-30|catch_up|succeeded", "2026-07-03|catch_up|succeeded"}, runs()), "");
    EXPECT_EQ(difference({"2026-06-30|2"}, lateness()), "");
}

TEST_F(DaemonTest, DownForTooLongPullsThePeriodNoMore) {
    Daemon daemon{installation, "2026-07-09T07:30:00+03:00"};
    daemon.wait_for_runs(1);
    daemon.stop();
    EXPECT_EQ(difference({"2026-07-09|catch_up|succeeded"}, runs()), "");
    EXPECT_EQ(lateness().size(), 0U);
}

TEST_F(DaemonTest, TriesAgainWhatFailedWhileTheDateLasts) {
    installation.config()["schedule"]["retry_interval"] = "6h";
    Fault fault;
    fault.operation = Operation::stats;
    fault.status = 503;
    installation.api().fail(fault);
    {
        Daemon daemon{installation, "2026-06-14T20:00:00Z", Daemon::Pace::jump};
        daemon.wait_for("2026-06-15T13:00:00Z");
        installation.api().clear_faults();
        daemon.wait_for("2026-06-17T01:00:00Z");
        daemon.stop();
    }
    const auto lines = installation.lines(
        "SELECT trigger, status, to_char(scheduled_for, 'HH24:MI'), to_char(started_at, 'HH24:MI') FROM "
        "heiasync.sync_runs WHERE run_on = '2026-06-15'");
    EXPECT_TRUE(lines.contains("schedule|partial|01:30|01:30") || lines.contains("schedule|failed|01:30|01:30"))
        << ::testing::PrintToString(lines);
    EXPECT_TRUE(lines.contains("retry|partial|01:30|07:30") || lines.contains("retry|failed|01:30|07:30"))
        << ::testing::PrintToString(lines);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE run_on = '2026-06-15' AND status = "
                                 "'succeeded' AND trigger = 'retry'"),
              1);
    EXPECT_EQ(installation.count("SELECT count(*) FROM (SELECT FROM heiasync.usage_stats WHERE observed_on = "
                                 "'2026-06-15' GROUP BY organisation_id, business_id HAVING count(*) > 1) AS twice"),
              0)
        << "what one run had was not asked again";
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.listings WHERE run_on = '2026-06-15'"), 1);
}

TEST_F(DaemonTest, AGateThatWasUnknownIsJudgedAgainWithTheStatsOfARetry) {
    installation.config()["schedule"]["retry_interval"] = "6h";
    Fault fault;
    fault.operation = Operation::stats;
    fault.status = 500;
    installation.api().fail(fault);
    Daemon daemon{installation, "2026-06-30T22:00:00Z", Daemon::Pace::jump};
    daemon.wait_for("2026-07-01T07:00:00Z");
    installation.api().clear_faults();
    daemon.wait_for("2026-07-02T01:00:00Z");
    daemon.stop();
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE reason = 'gate_unknown'"), 0);
    EXPECT_EQ(difference({"2026-06-30|0"}, lateness()), "");
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs WHERE run_on = '2026-07-01' ORDER BY "
                                 "sync_run_id DESC LIMIT 1"),
              "succeeded");
}

TEST_F(DaemonTest, WaitsForADatabaseThatIsAway) {
    const std::string url = installation.database_url();
    installation.config()["database"]["url"] = "postgresql://127.0.0.1:1/nowhere?connect_timeout=1";
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_log("the database is not available");
    installation.config()["database"]["url"] = url;
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log("database.url: ");
    daemon.wait_for_log("the database is available again, after");
    daemon.wait_for_runs(1);
    daemon.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded"}, runs()), "");
}

TEST_F(DaemonTest, WaitsForTheRunOfAnotherProcess) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    pqxx::connection other{installation.database_url()};
    pqxx::nontransaction session{other};
    session.exec("SELECT pg_advisory_lock(1214605665, 2)");
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_log("another process has a run in hand");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 0);
    session.exec("SELECT pg_advisory_unlock(1214605665, 2)");
    daemon.wait_for_runs(1);
    daemon.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded"}, runs()), "");
}

TEST_F(DaemonTest, BesideAnotherOneIsAStandby) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    Daemon first{installation, "2026-06-15T07:30:00+03:00"};
    Daemon second{installation, "2026-06-15T07:30:00+03:00"};
    first.wait_for_log("the next run is due at 2026-06-16");
    second.wait_for_log("the next run is due at 2026-06-16");
    first.stop();
    second.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|succeeded"}, runs()), "");
}

TEST_F(DaemonTest, ReportsRejectedCredentialsAndLivesOn) {
    installation.write("magic_token", "another\n");
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_runs(1);
    installation.write("magic_token", installation.api().options().credentials.magic_token + "\n");
    daemon.signal(SIGHUP);
    daemon.signal(SIGUSR1);
    daemon.wait_for_runs(2);
    const Outcome outcome = daemon.stop();
    EXPECT_EQ(difference({"2026-06-15|catch_up|failed", "2026-06-15|manual|succeeded"}, runs()), "");
    EXPECT_THAT(outcome.err, HasSubstr("the API rejected the credentials"));
    EXPECT_THAT(outcome.err, HasSubstr("api.magic_token: another secret"));
    EXPECT_THAT(outcome.err, HasSubstr("the API accepts the credentials again"));
}

TEST_F(DaemonTest, RefusesWhatARehearsalMayNotTouch) {
    EXPECT_EQ(installation.run({"sync", "--stream", "organisations"}).exit_code, exit_code::done);
    const Outcome real_history = installation.run({"run", "--simulated-time", "2026-06-15T00:00:00Z,jump"});
    EXPECT_EQ(real_history.exit_code, exit_code::usage) << real_history;
    EXPECT_THAT(real_history.err, HasSubstr("real history"));
    installation.config()["api"]["base_url"] = "https://api.example.com";
    const Outcome not_loopback = installation.run({"run", "--simulated-time", "2026-06-15T00:00:00Z"});
    EXPECT_EQ(not_loopback.exit_code, exit_code::usage) << not_loopback;
    EXPECT_THAT(not_loopback.err, HasSubstr("loopback"));
}

TEST_F(DaemonTest, RefusesTheDatabaseOfARehearsal) {
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    for (const char* const command : {"run", "sync"}) {
        const Outcome outcome = installation.run({command});
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("born in a rehearsal"));
    }
}

TEST_F(DaemonTest, RefusesASchemaThatItMayNotMigrate) {
    installation.config()["database"]["migrate_on_start"] = false;
    const Outcome outcome = installation.run({"run"});
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("heiasyncd migrate"));
}

TEST_F(DaemonTest, PreparesADatabaseThatWasMadeAnewUnderIt) {
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_log("the next run is due");
    installation.execute("DROP SCHEMA heiasync CASCADE");
    daemon.signal(SIGUSR1);
    daemon.wait_for_log("applied migration 0001");
    daemon.wait_for_log("succeeded");
    daemon.stop();
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 1);
}

TEST_F(DaemonTest, ItsLastWordIsInTheFormatOfTheLog) {
    installation.config()["log"]["format"] = "json";
    installation.config()["database"]["migrate_on_start"] = false;
    const Outcome outcome = installation.run({"run", "--simulated-time", "2026-06-15T07:30:00+03:00"});
    EXPECT_EQ(outcome.exit_code, exit_code::configuration);
    EXPECT_THAT(last_of_json_lines(outcome.err), HasSubstr("heiasyncd migrate"));
}

TEST_F(DaemonTest, HoldsNoSessionWhileItIsIdle) {
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_runs(1);
    wait_until([this] {
        return installation.count(
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                   "'heiasyncd' AND datname = current_database()") == 0;
    });
    daemon.stop();
}

TEST_F(DaemonTest, LogsAsJsonWithTheSameKeysInEveryLine) {
    installation.config()["log"]["format"] = "json";
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_runs(1);
    EXPECT_THAT(last_of_json_lines(daemon.stop().err), HasSubstr("heiasyncd stopped"));
}

}  // namespace

}  // namespace heiasync::testing
