#include "content.hpp"
#include "daemon.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace heiasync::testing {

namespace {

constexpr auto boundary_day = "2026-07-01";

/// What the boundary day looks like where nothing disturbs the daemon.
const std::vector<std::string>& undisturbed(std::size_t& requests) {
    static std::size_t count = 0;
    static const std::vector<std::string> rows = [] {
        Installation installation{tiny_world()};
        installation.make_every_count_known(boundary_day);
        Daemon daemon{installation, after_slot(boundary_day)};
        daemon.wait_for_runs(1);
        daemon.stop();
        count = installation.api().requests().size();
        return content(installation);
    }();
    requests = count;
    return rows;
}

void expect_complete(const Installation& installation, const std::vector<std::string>& expected) {
    EXPECT_EQ(row_difference(expected, content(installation)), "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status = 'succeeded'"), 1);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status NOT IN ('succeeded', "
                                 "'interrupted')"),
              0);
}

/// Kills a daemon at random moments of a boundary day, on a history of its own each time, and lets another one go on.
void expect_completed_after(int kills, PostgresServer& server, const std::function<void(Daemon&)>& kill) {
    std::size_t requests = 0;
    const std::vector<std::string>& expected = undisturbed(requests);
    std::mt19937 random{20260701};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same moments each time
    for (int number = 0; number < kills; ++number) {
        const auto request = random() % requests;
        const std::chrono::microseconds delay{random() % 10'000};
        SCOPED_TRACE(fmt::format("killed {} us after request {}", delay.count(), request));
        Installation installation{tiny_world(), server};
        installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
        installation.make_every_count_known(boundary_day);
        {
            Daemon victim{installation, after_slot(boundary_day)};
            installation.api().wait_for_requests(request);
            std::this_thread::sleep_for(delay);
            kill(victim);
        }
        installation.look_at(installation.database_url());
        Daemon daemon{installation, after_slot(boundary_day)};
        daemon.wait_for_runs(1);
        daemon.stop();
        expect_complete(installation, expected);
    }
}

TEST(Killed, AtAnyMomentOfABoundaryDayTheDaemonCompletesItOnce) {
    expect_completed_after(long_tests() ? 100 : 8, PostgresServer::shared(), [](Daemon& daemon) { daemon.kill(); });
}

TEST(Killed, WithItsServerAtAnyMomentOfABoundaryDayTheDaemonCompletesItOnce) {
    PostgresServer server{PostgresServer::Durability::safe};
    expect_completed_after(long_tests() ? 20 : 1, server, [&server](Daemon& daemon) {
        server.stop(SIGKILL);
        daemon.kill();
        server.start();
    });
}

}  // namespace

}  // namespace heiasync::testing
