#include "content.hpp"
#include "core/instant.hpp"
#include "daemon.hpp"
#include "endpoint.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace heiasync::testing {

namespace {

using namespace std::chrono_literals;

/// A wall clock that can be set to any instant, for the programs that are started while it lives.
class WallClock {
public:
    explicit WallClock(const std::string& instant) {
        set(instant);
        ::setenv("WALL_CLOCK_AHEAD", file_.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
        ::setenv("LD_PRELOAD", STEPPED_WALL_CLOCK, 1);   // NOLINT(concurrency-mt-unsafe)
    }
    WallClock(const WallClock&) = delete;
    WallClock& operator=(const WallClock&) = delete;
    ~WallClock() {
        ::unsetenv("LD_PRELOAD");        // NOLINT(concurrency-mt-unsafe)
        ::unsetenv("WALL_CLOCK_AHEAD");  // NOLINT(concurrency-mt-unsafe)
        std::filesystem::remove(file_);
    }

    void set(const std::string& instant) {
        const auto ahead = std::chrono::round<std::chrono::seconds>(core::parse_instant(instant) - machine_time());
        ahead_ = ahead;
        const std::string next = file_ + ".next";
        std::ofstream{next} << ahead.count();
        std::filesystem::rename(next, file_);
        // To what it says: that the clock was set, the kernel tells by itself.
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        may_be_set_ = ::clock_settime(CLOCK_REALTIME, &now) == 0;
    }

    [[nodiscard]] bool may_be_set() const { return may_be_set_; }
    [[nodiscard]] core::Instant now() const { return machine_time() + ahead_.load(); }

private:
    static core::Instant machine_time() {
        return date::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }

    std::string file_ = fmt::format("{}wall-clock-{}", ::testing::TempDir(), ::getpid());
    std::atomic<std::chrono::seconds> ahead_{std::chrono::seconds{0}};
    bool may_be_set_ = false;
};

class WallClockTest : public ::testing::Test {
protected:
    simulator::Options options() {
        simulator::Options options = tiny_world();
        options.clock = [this] { return clock.now(); };
        return options;
    }

    void wait_for_next_run(const std::string& instant) const {
        const std::string expected = fmt::format(R"("utc":"{}")", instant);
        wait_until([&] {
            const std::string answer = ask(port, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            return answer.find(expected) != std::string::npos;
        });
    }

    [[nodiscard]] std::set<std::string> runs() const {
        return installation.lines("SELECT run_on, trigger, status FROM heiasync.sync_runs");
    }

    void wait_for_runs(int count) const {
        wait_until([&] {
            return installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE finished_at IS NOT NULL") == count;
        });
    }

    WallClock clock{"2026-07-01T12:00:00+03:00"};
    PostgresServer server;
    Installation installation{options(), server};
    unsigned port = free_port();
};

TEST_F(WallClockTest, SteppedBackAndForthMakesOneRunADateInTheMinuteOfItsSlot) {
    if (is_sanitized()) {
        GTEST_SKIP() << "its library wants to be loaded first";
    }
    if (!clock.may_be_set()) {
        GTEST_SKIP() << "whoever runs this may not set the clock";
    }
    installation.make_every_count_known("2026-07-01");
    installation.config()["status"]["listen"] = fmt::format("127.0.0.1:{}", port);
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    Process daemon{installation.command({"run"})};
    wait_for_runs(1);
    wait_for_next_run("2026-07-02T01:30:00Z");

    clock.set("2026-07-02T07:30:00+03:00");
    wait_for_runs(2);
    wait_for_next_run("2026-07-03T01:30:00Z");

    clock.set("2026-07-01T22:00:00+03:00");
    wait_for_next_run("2026-07-02T01:30:00Z");
    clock.set("2026-07-02T04:31:00+03:00");
    wait_for_next_run("2026-07-03T01:30:00Z");

    clock.set("2026-07-03T01:00:00+03:00");
    clock.set("2026-07-02T20:00:00+03:00");
    clock.set("2026-07-03T04:29:58+03:00");
    wait_for_runs(3);
    wait_for_next_run("2026-07-04T01:30:00Z");

    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait().exit_code, exit_code::done);
    EXPECT_EQ(runs(), (std::set<std::string>{"2026-07-01|catch_up|succeeded", "2026-07-02|schedule|succeeded",
                                             "2026-07-03|schedule|succeeded"}));
    EXPECT_EQ(installation.lines("SELECT run_on, started_at - scheduled_for BETWEEN '0' AND '1 min' "
                                 "FROM heiasync.sync_runs WHERE run_on = '2026-07-03'"),
              std::set<std::string>{"2026-07-03|t"});
}

}  // namespace

}  // namespace heiasync::testing
