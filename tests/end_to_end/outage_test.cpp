#include "content.hpp"
#include "daemon.hpp"
#include "database_proxy.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto boundary_day = "2026-07-01";

/// In the middle of the run, among documents.
constexpr std::size_t middle = 40;

/// The disk of the server that is started next, by this program.
class Disk {
public:
    Disk() {
        ::setenv("FULL_DISK", full_.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
        ::setenv("LD_PRELOAD", FULL_DISK, 1);     // NOLINT(concurrency-mt-unsafe)
    }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    ~Disk() { make_room(); }

    void fill() const { std::ofstream{full_}; }
    void make_room() const { std::filesystem::remove(full_); }
    static void concerns_no_other() {
        ::unsetenv("LD_PRELOAD");  // NOLINT(concurrency-mt-unsafe)
        ::unsetenv("FULL_DISK");   // NOLINT(concurrency-mt-unsafe)
    }

private:
    std::filesystem::path full_ =
        std::filesystem::temp_directory_path() / fmt::format("heiasync-full-disk-{}", ::getpid());
};

class OutageTest : public ::testing::Test {
protected:
    OutageTest() { installation.make_every_count_known(boundary_day); }

    /// What the boundary day looks like where nothing disturbs the daemon.
    static const std::vector<std::string>& undisturbed() {
        static const std::vector<std::string> rows = [] {
            Installation calm{tiny_world()};
            calm.make_every_count_known(boundary_day);
            Daemon daemon{calm, after_slot(boundary_day)};
            daemon.wait_for_runs(1);
            daemon.stop();
            return content(calm);
        }();
        return rows;
    }

    [[nodiscard]] std::size_t requests() const { return installation.api().requests().size(); }

    void expect_one_complete_run() const {
        EXPECT_EQ(row_difference(undisturbed(), content(installation)), "");
        EXPECT_EQ(installation.lines("SELECT trigger, status FROM heiasync.sync_runs"),
                  std::set<std::string>{"catch_up|succeeded"})
            << "a run that outlives an outage keeps its row";
    }

    /// The database goes away in the middle of a run, and comes back.
    void expect_outlived(const std::function<void()>& begin, const std::function<void()>& end) {
        Daemon daemon{installation, after_slot(boundary_day)};
        installation.api().wait_for_requests(middle);
        begin();
        daemon.wait_for_log("the run waits for it and goes on");
        end();
        daemon.wait_for_log("the database is available again");
        daemon.wait_for_runs(1);
        daemon.stop();
        expect_one_complete_run();
    }

    /// An API slow enough that a run which does not wait is seen to go on.
    static simulator::Options slow_world() {
        simulator::Options options = tiny_world();
        options.latency = 20ms;
        return options;
    }

    PostgresServer server;
    std::unique_ptr<PostgresServer> replica;
    Installation installation{slow_world(), server};
};

TEST_F(OutageTest, ARestartOfTheDatabaseIsWaitedOut) {
    expect_outlived([this] { server.stop(SIGINT); }, [this] { server.start(); });
}

TEST_F(OutageTest, ACrashOfTheDatabaseIsWaitedOut) {
    expect_outlived([this] { server.stop(SIGKILL); }, [this] { server.start(); });
}

TEST_F(OutageTest, ADatabaseThatTakesNoWritesIsWaitedFor) {
    const std::string url = installation.database_url() + "&options=-cdefault_transaction_read_only%3Doff";
    const auto set = [&url](const std::string& value) {
        query(url, "ALTER SYSTEM SET default_transaction_read_only = " + value);
        query(url, "SELECT pg_reload_conf()");
    };
    expect_outlived([&] { set("on"); }, [&] { set("off"); });
}

/// On a day on which every answer is small, and many could be kept in memory.
TEST_F(OutageTest, NothingIsAskedForMeanwhile) {
    installation.sync_on("2026-06-10");
    const std::size_t first_day = requests();
    const DatabaseProxy proxy{installation.database_url(), {[](std::size_t) { return DatabaseProxy::Commit::pass; }}};
    installation.config()["database"]["url"] = proxy.url();
    Daemon daemon{installation, after_slot("2026-06-11")};
    installation.api().wait_for_requests(first_day + 5);
    server.stop(SIGINT);
    const std::size_t before = requests();
    daemon.wait_for_log("the run waits for it and goes on");
    // The pauses between them grow: there is time for many requests.
    wait_until([&, tries = proxy.connections() + 3] { return proxy.connections() >= tries; });
    EXPECT_LE(requests(), before + 3) << "what was in hand, and what was sent before it was noticed";
    server.start();
    daemon.wait_for_runs(2);
    daemon.stop();
    EXPECT_GT(requests(), before + 15) << "there was much to ask for";
}

/// What the primary had committed and not sent is fetched again.
TEST_F(OutageTest, AReplicaThatIsPromotedIsGoneOnWith) {
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    replica = server.standby();
    installation.config()["database"]["url"] = replica->either_of(installation.database_url());
    Daemon daemon{installation, after_slot(boundary_day)};
    installation.api().wait_for_requests(middle / 2);
    replica->stop(SIGINT);
    installation.api().wait_for_requests(middle);
    server.stop(SIGKILL);
    daemon.wait_for_log("the run waits for it and goes on");
    replica->start();
    replica->promote();
    installation.look_at(replica->same_database(installation.database_url()));
    daemon.wait_for_runs(1);
    daemon.stop();
    EXPECT_EQ(row_difference(undisturbed(), content(installation)), "");
    EXPECT_EQ(installation.lines("SELECT status, count(*) FROM heiasync.sync_runs GROUP BY 1"),
              (std::set<std::string>{"interrupted|1", "succeeded|1"}))
        << "numbers of the old server may be given out again, so the run there has ended";
}

TEST_F(OutageTest, AReloadReachesARunThatWaitsElsewhere) {
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    const std::string url = installation.database_url();
    auto way = std::make_unique<DatabaseProxy>(
        url, DatabaseProxy::Plan{[](std::size_t) { return DatabaseProxy::Commit::pass; }});
    installation.config()["database"]["url"] = way->url();
    Daemon daemon{installation, after_slot(boundary_day)};
    installation.api().wait_for_requests(middle);
    way.reset();
    daemon.wait_for_log("the run waits for it and goes on");
    installation.config()["database"]["url"] = url;
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_runs(1);
    daemon.stop();
    EXPECT_EQ(row_difference(undisturbed(), content(installation)), "");
    EXPECT_EQ(installation.lines("SELECT status, count(*) FROM heiasync.sync_runs GROUP BY 1"),
              (std::set<std::string>{"interrupted|1", "succeeded|1"}));
}

TEST_F(OutageTest, AStopEndsTheWait) {
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    Daemon daemon{installation, after_slot(boundary_day)};
    installation.api().wait_for_requests(middle);
    server.stop(SIGINT);
    daemon.wait_for_log("the run waits for it and goes on");
    EXPECT_THAT(daemon.stop().err, ::testing::Not(::testing::HasSubstr("something still hangs")));
    server.start();
    Daemon next{installation, after_slot(boundary_day)};
    next.wait_for_runs(1);
    next.stop();
    EXPECT_EQ(row_difference(undisturbed(), content(installation)), "");
}

class FullDiskTest : protected Disk, public OutageTest {
protected:
    FullDiskTest() { concerns_no_other(); }
};

TEST_F(FullDiskTest, IsWaitedFor) {
    if (is_sanitized()) {
        GTEST_SKIP() << "its library wants to be loaded first";
    }
    expect_outlived([this] { fill(); }, [this] { make_room(); });
}

/// Two daemons on one database; the first one has the run.
class TwoDaemonsTest : public OutageTest {
protected:
    TwoDaemonsTest() {
        installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
        installation.tolerate(simulator::Violation::Kind::concurrent_requests);
    }

    /// One that stood still while the other one took over and ended its run.
    void wake_up(Daemon& daemon) const {
        const std::size_t before = requests();
        daemon.signal(SIGCONT);
        daemon.wait_for_log("run 1 interrupted, and not closed: the run lock was lost");
        EXPECT_LE(requests(), before + 1) << "only what was in hand may be sent again";
        daemon.stop();
    }

    void expect_taken_over() const {
        EXPECT_EQ(row_difference(undisturbed(), content(installation)), "");
        EXPECT_EQ(installation.lines("SELECT status, count(*) FROM heiasync.sync_runs GROUP BY 1"),
                  (std::set<std::string>{"interrupted|1", "succeeded|1"}));
    }

    void wait_for_take_over(std::chrono::seconds limit) const {
        const auto began = std::chrono::steady_clock::now();
        wait_until([this] { return installation.count("SELECT count(*) FROM heiasync.sync_runs") == 2; });
        EXPECT_LE(std::chrono::steady_clock::now() - began, limit);
    }
};

TEST_F(TwoDaemonsTest, TheOtherTakesOverFromOneThatWasKilled) {
    Daemon first{installation, after_slot(boundary_day)};
    installation.api().wait_for_requests(middle);
    simulator::Fault hang;
    hang.kind = simulator::Fault::Kind::hang;
    installation.api().fail(hang);
    Daemon second{installation, after_slot(boundary_day)};
    second.wait_for_log("another process has a run in hand");
    first.kill();
    installation.api().clear_faults();
    wait_for_take_over(15s);
    second.wait_for_runs(1);
    second.stop();
    expect_taken_over();
}

TEST_F(TwoDaemonsTest, OneThatStoodStillWritesNothingOnceTheOtherHasTakenOver) {
    Daemon first{installation, after_slot(boundary_day)};
    installation.api().wait_for_requests(middle);
    Daemon second{installation, after_slot(boundary_day)};
    first.signal(SIGSTOP);
    // Inside a COPY, which is possible here, too.
    wait_for_take_over(30s);
    second.wait_for_runs(1);
    wake_up(first);
    second.stop();
    expect_taken_over();
}

TEST_F(TwoDaemonsTest, OneThatStoodStillInsideACopyWritesNothingOnceTheOtherHasTakenOver) {
    const std::string server_url = installation.database_url();
    std::atomic<bool> hold = true;
    std::promise<void> held;
    std::promise<void> released;
    DatabaseProxy proxy{server_url,
                        {.decide = [](std::size_t) { return DatabaseProxy::Commit::pass; },
                         .at_rows =
                             [&] {
                                 if (hold.exchange(false)) {
                                     held.set_value();
                                     released.get_future().wait_for(1min);
                                 }
                             }}};
    installation.config()["database"]["url"] = proxy.url();
    Daemon first{installation, after_slot(boundary_day)};
    ASSERT_EQ(held.get_future().wait_for(1min), std::future_status::ready);
    first.signal(SIGSTOP);
    installation.config()["database"]["url"] = server_url;
    Daemon second{installation, after_slot(boundary_day)};
    wait_for_take_over(30s);
    second.wait_for_log("stands still in the middle of a document: its session was ended");
    second.wait_for_runs(1);
    released.set_value();
    wake_up(first);
    second.stop();
    expect_taken_over();
}

TEST(TwoDaemons, ThatLiveThroughTheSameDatesHaveOneRunADate) {
    Installation installation{tiny_world()};
    installation.make_every_count_known("2026-06-10");
    {
        Daemon first{installation, "2026-06-10T00:00:00+03:00", Daemon::Pace::jump};
        Daemon second{installation, "2026-06-10T00:00:00+03:00", Daemon::Pace::jump};
        first.wait_for_runs(11);
        first.stop();
        second.stop();
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status = 'succeeded' "
                                 "AND run_on BETWEEN '2026-06-10' AND '2026-06-19'"),
              10);
    EXPECT_EQ(installation.count("SELECT count(*) FROM (SELECT FROM heiasync.sync_runs WHERE status = 'succeeded' "
                                 "GROUP BY run_on HAVING count(*) > 1) AS twice"),
              0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status NOT IN ('succeeded', "
                                 "'interrupted')"),
              0);
}

}  // namespace

}  // namespace heiasync::testing
