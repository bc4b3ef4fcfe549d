#include "content.hpp"
#include "daemon.hpp"
#include "database_proxy.hpp"
#include "notify_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto before_the_slot = "2026-06-15T03:00:00+03:00";

class Supervised : public ::testing::Test {
protected:
    /// A systemd that wants to hear every tenth of a second that the daemon is well.
    [[nodiscard]] Environment with_watchdog() const {
        return {{"NOTIFY_SOCKET", systemd.path()}, {"WATCHDOG_USEC", "300000"}};
    }
    [[nodiscard]] Environment with_stepped_clock() const {
        Environment environment = with_watchdog();
        environment["LD_PRELOAD"] = STEPPED_CLOCK;
        environment["STEPPED_CLOCK"] = (installation.directory() / "step").string();
        return environment;
    }
    void step_clock() const { installation.write("step", ""); }

    /// What was said right after the last of these.
    [[nodiscard]] std::string next_after(const std::string& message) const {
        const std::vector<std::string> heard = systemd.heard();
        const auto last = std::find(heard.rbegin(), heard.rend(), message);
        return last == heard.rbegin() || last == heard.rend() ? "nothing" : *(last - 1);
    }

    void stop(Daemon& daemon) {
        daemon.signal(SIGTERM);
        systemd.wait_for("STOPPING=1");
        EXPECT_EQ(daemon.wait().exit_code, exit_code::done);
    }

    Installation installation{tiny_world()};
    NotifySocket systemd{(installation.directory() / "notify").string()};
};

TEST_F(Supervised, ADaemonTellsWhatItDoes) {
    Daemon daemon{installation, before_the_slot, Daemon::Pace::real, {{"NOTIFY_SOCKET", systemd.path()}}};
    EXPECT_EQ(systemd.wait_for("STATUS="), "STATUS=starting");
    EXPECT_EQ(systemd.wait_for("READY=1"), "READY=1");
    EXPECT_EQ(systemd.wait_for("STATUS="), "STATUS=next run Mon 04:30 EEST");
    daemon.signal(SIGUSR1);
    systemd.wait_for("STATUS=sync ");
    systemd.wait_for("STATUS=next run Mon 04:30 EEST");

    installation.config()["schedule"]["daily_at"] = "05:30";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    EXPECT_THAT(systemd.wait_for("RELOADING=1"), HasSubstr("\nMONOTONIC_USEC="));
    systemd.wait_for("READY=1");
    systemd.wait_for("STATUS=next run Mon 05:30 EEST");

    installation.write(installation.config_file().filename(), "schedule: {daily_at: \"25:00\"}\n");
    daemon.signal(SIGHUP);
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    EXPECT_THAT(systemd.wait_for("STATUS="), HasSubstr("the last reload was refused"));

    stop(daemon);
    EXPECT_THAT(systemd.heard(), Not(::testing::Contains("WATCHDOG=1"))) << "nobody asked for it";
}

TEST_F(Supervised, AStartThatWaitsForTheDatabaseAsksForMoreTime) {
    const std::string url = installation.database_url();
    installation.config()["database"]["url"] = "postgresql://127.0.0.1:1/nobody";
    Daemon daemon{installation, before_the_slot, Daemon::Pace::real, with_watchdog()};
    EXPECT_EQ(systemd.wait_for("EXTEND_TIMEOUT_USEC="), "EXTEND_TIMEOUT_USEC=300000");
    systemd.wait_for("STATUS=database away for ");
    systemd.wait_for("EXTEND_TIMEOUT_USEC=");
    systemd.wait_for("EXTEND_TIMEOUT_USEC=");
    EXPECT_THAT(systemd.heard(), Each(AnyOf(StartsWith("STATUS="), StartsWith("EXTEND_TIMEOUT_USEC="))));

    installation.config()["database"]["url"] = url;
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    const std::size_t ready = systemd.heard().size();
    systemd.wait_for("STATUS=next run Mon 04:30 EEST");
    systemd.wait_for("WATCHDOG=1");
    systemd.wait_for("WATCHDOG=1");
    std::vector<std::string> after = systemd.heard();
    after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(ready));
    EXPECT_THAT(after, Each(AnyOf(StartsWith("STATUS="), "WATCHDOG=1")));
    stop(daemon);
}

TEST_F(Supervised, AStartThatMigratesAsksForMoreTime) {
    pqxx::connection connection{installation.database_url()};
    pqxx::work other{connection};
    other.exec("CREATE SCHEMA heiasync");
    Daemon daemon{installation, before_the_slot, Daemon::Pace::real, with_watchdog()};
    wait_until([this] { return installation.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; });
    for (int i = 0; i < 20; ++i) {
        systemd.wait_for("EXTEND_TIMEOUT_USEC=");
    }
    EXPECT_THAT(systemd.heard(), Not(::testing::Contains("READY=1")));
    other.abort();
    systemd.wait_for("READY=1");
    stop(daemon);
}

TEST_F(Supervised, TheWatchdogStarvesWhereTheDatabaseThreadStandsStill) {
    if (is_sanitized()) {
        GTEST_SKIP() << "its library wants to be loaded first";
    }
    std::atomic<bool> hold = false;
    std::promise<void> held;
    std::promise<void> released;
    DatabaseProxy proxy{installation.database_url(), {[&](std::size_t) {
                            if (hold.exchange(false)) {
                                held.set_value();
                                released.get_future().wait();
                            }
                            return DatabaseProxy::Commit::pass;
                        }}};
    installation.config()["database"]["url"] = proxy.url();
    Daemon daemon{installation, before_the_slot, Daemon::Pace::real, with_stepped_clock()};
    systemd.wait_for("READY=1");
    systemd.wait_for("WATCHDOG=1");
    hold = true;
    daemon.signal(SIGUSR1);
    held.get_future().wait();
    systemd.wait_for("WATCHDOG=1");
    step_clock();
    const std::string starving = systemd.wait_for("STATUS=standing still: the database thread");
    daemon.wait_for_log("standing still: the database thread; unless that ends soon");
    released.set_value();
    systemd.wait_for("WATCHDOG=1");
    EXPECT_THAT(next_after(starving), StartsWith("STATUS=")) << "not fed before it turns again";
    daemon.wait_for_log("every part of the daemon turns again");
    stop(daemon);
}

TEST_F(Supervised, TheWatchdogStarvesWhereADeadlineEndsNoRequest) {
    if (is_sanitized()) {
        GTEST_SKIP() << "its library wants to be loaded first";
    }
    simulator::Fault hang;
    hang.kind = simulator::Fault::Kind::hang;
    installation.api().fail(hang);
    Daemon daemon{installation, before_the_slot, Daemon::Pace::real, with_stepped_clock()};
    systemd.wait_for("READY=1");
    daemon.signal(SIGUSR1);
    installation.api().wait_for_requests(1);
    systemd.wait_for("WATCHDOG=1");
    step_clock();
    // The beat is due before the deadline, which then ends the request after all.
    const std::string starving = systemd.wait_for("STATUS=standing still: a request, beyond its deadline");
    systemd.wait_for("WATCHDOG=1");
    EXPECT_THAT(next_after(starving), StartsWith("STATUS="));
    stop(daemon);
}

}  // namespace

}  // namespace heiasync::testing
