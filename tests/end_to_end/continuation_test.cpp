#include "content.hpp"
#include "database_proxy.hpp"
#include "events.hpp"
#include "installation.hpp"
#include "support/listener.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;
using Commit = DatabaseProxy::Commit;

constexpr auto boundary_day = "2026-07-01";

std::size_t downloads(const Installation& installation) {
    return installation.requests(Operation::full_data) + installation.requests(Operation::energy_levels);
}

/// What a run that nothing disturbs leaves behind.
struct Undisturbed {
    Undisturbed() {
        Installation installation{tiny_world()};
        installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
        DatabaseProxy proxy{installation.database_url(), {[](std::size_t) { return Commit::pass; }}};
        installation.run({"migrate"});
        installation.config()["database"]["url"] = proxy.url();
        const Outcome outcome = installation.sync_on(boundary_day);
        EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << "a null count leaves a gap: " << outcome;
        rows = content(installation);
        commits = proxy.commits();
        download_count = downloads(installation);
        request_count = installation.api().requests().size();
    }

    static const Undisturbed& run() {
        static const Undisturbed undisturbed;
        return undisturbed;
    }

    std::vector<std::string> rows;
    std::size_t commits = 0;
    std::size_t download_count = 0;
    std::size_t request_count = 0;
};

/// How commits are shared differs from run to run, and with it which of them is the last.
bool came_to_its_end(const Installation& installation) {
    return installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE finished_at IS NOT NULL") > 0;
}

/// Each document and each end of a run once, and nothing that was rolled back.
void expect_heard(const Installation& installation, Listener& listener) {
    auto events = listener.heard();
    const std::string gaps = installation.value(
        "SELECT format(',\"gaps\":{\"open\":%s,\"final\":%s}}', count(*) FILTER (WHERE state = 'open'), "
        "count(*) FILTER (WHERE state = 'final')) FROM heiasync.sync_gaps "
        "WHERE expected_on = (SELECT max(run_on) FROM heiasync.sync_runs)");
    EXPECT_TRUE(events.back().ends_with(gaps)) << events.back() << " does not end with " << gaps;
    for (std::string& event : events) {
        if (const auto end = event.find(",\"gaps\""); end != std::string::npos) {
            event.replace(end, std::string::npos, "}");
        }
    }
    std::ranges::sort(events);
    EXPECT_EQ(row_difference(events_due(installation), events), "");
}

void expect_continued(Installation& installation, int interruptions) {
    const Outcome outcome = installation.sync_on(boundary_day);
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(row_difference(Undisturbed::run().rows, content(installation)), "");
    EXPECT_LE(downloads(installation), Undisturbed::run().download_count + 2 * static_cast<std::size_t>(interruptions))
        << "what was being stored, and what was being fetched";
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status = 'running'"), 0);
}

/// Kills a sync at one of its commits, before or after it, and continues.
void kill_at_commit(std::size_t number, Commit how) {
    SCOPED_TRACE(fmt::format("killed at commit {}, {}", number, how == Commit::lost ? "before it" : "after it"));
    Installation installation{tiny_world()};
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    installation.run({"migrate"});
    Listener listener{installation.database_url()};
    Process* victim = nullptr;
    std::mutex started;
    DatabaseProxy::Plan plan;
    plan.decide = [number, how](std::size_t commit) { return commit == number ? how : Commit::pass; };
    plan.then = [&] {
        const std::scoped_lock lock{started};
        victim->signal(SIGKILL);
    };
    {
        DatabaseProxy proxy{installation.database_url(), std::move(plan)};
        installation.config()["database"]["url"] = proxy.url();
        std::unique_ptr<Process> process;
        {
            const std::scoped_lock lock{started};
            process =
                std::make_unique<Process>(installation.command({"sync", "--simulated-time", after_slot(boundary_day)}));
            victim = process.get();
        }
        process->wait();
    }
    installation.config()["database"]["url"] = installation.database_url();
    if (!came_to_its_end(installation)) {
        expect_continued(installation, 1);
    }
    expect_heard(installation, listener);
}

TEST(Continuation, ARunThatWasKilledAtACommitIsContinued) {
    const std::size_t commits = Undisturbed::run().commits;
    const std::size_t step = long_tests() ? 1 : std::max<std::size_t>(commits / 3, 1);
    for (std::size_t number = 1; number <= commits; number += step) {
        kill_at_commit(number, Commit::lost);
        kill_at_commit(number, Commit::unanswered);
    }
}

TEST(Continuation, ARunThatIsKilledAtAnyMomentIsContinued) {
    std::mt19937 random{20260701};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same moments each time
    const int kills = long_tests() ? 100 : 4;
    for (int kill = 0; kill < kills; ++kill) {
        const auto request = random() % Undisturbed::run().request_count;
        const std::chrono::microseconds delay{random() % 10'000};
        SCOPED_TRACE(fmt::format("killed {} us after request {}", delay.count(), request));
        Installation installation{tiny_world()};
        installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
        installation.run({"migrate"});
        Process process{installation.command({"sync", "--simulated-time", after_slot(boundary_day)})};
        installation.api().wait_for_requests(request);
        std::this_thread::sleep_for(delay);
        process.signal(SIGKILL);
        process.wait();
        if (!came_to_its_end(installation)) {
            expect_continued(installation, 1);
        }
    }
}

TEST(Continuation, OfARunThatDiedIsARunOfItsOwn) {
    Installation installation{tiny_world()};
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.operation = Operation::stats;
    hang.after = 5;
    installation.api().fail(hang);
    {
        Process process{installation.command({"sync", "--simulated-time", after_slot("2026-06-15")})};
        installation.api().wait_for_requests(6, Operation::stats);
        process.signal(SIGKILL);
        process.wait();
    }
    installation.api().clear_faults();
    EXPECT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    EXPECT_EQ(difference({"manual|interrupted|its process ended without closing it", "resume|succeeded|NULL"},
                         installation.lines("SELECT trigger, status, error FROM heiasync.sync_runs")),
              "");
    EXPECT_EQ(installation.requests(Operation::organisations), 2U) << "the listing was stored";

    // That one came to its end: the next one begins anew.
    EXPECT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    EXPECT_EQ(installation.value("SELECT trigger FROM heiasync.sync_runs ORDER BY sync_run_id DESC LIMIT 1"), "manual");
}

TEST(Continuation, OnALaterDateThereIsNone) {
    Installation installation{tiny_world()};
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.operation = Operation::stats;
    hang.after = 5;
    hang.times = 1;
    installation.api().fail(hang);
    {
        Process process{installation.command({"sync", "--simulated-time", after_slot("2026-06-15")})};
        installation.api().wait_for_requests(6, Operation::stats);
        process.signal(SIGKILL);
        process.wait();
    }
    EXPECT_EQ(installation.sync_on("2026-06-16").exit_code, exit_code::done);
    EXPECT_EQ(difference({"2026-06-15|manual|interrupted", "2026-06-16|manual|succeeded"},
                         installation.lines("SELECT run_on, trigger, status FROM heiasync.sync_runs")),
              "");
}

/// The connection breaks at a commit, and the process lives on.
void break_at_commit(std::size_t number, Commit how) {
    SCOPED_TRACE(fmt::format("broken at commit {}, {}", number, how == Commit::lost ? "before it" : "after it"));
    Installation installation{tiny_world()};
    installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    installation.run({"migrate"});
    Listener listener{installation.database_url()};
    DatabaseProxy::Plan plan;
    plan.decide = [number, how](std::size_t commit) { return commit == number ? how : Commit::pass; };
    DatabaseProxy proxy{installation.database_url(), std::move(plan)};
    installation.config()["database"]["url"] = proxy.url();
    const Outcome outcome = installation.sync_on(boundary_day);
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(row_difference(Undisturbed::run().rows, content(installation)), "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 1) << "it went on";
    expect_heard(installation, listener);
}

TEST(Continuation, ACommitInDoubtIsLookedUpInTheLedger) {
    const std::size_t commits = Undisturbed::run().commits;
    for (const std::size_t number : {commits / 3, commits / 2, commits * 3 / 4, commits}) {
        break_at_commit(number, Commit::lost);
        break_at_commit(number, Commit::unanswered);
    }
}

}  // namespace

}  // namespace heiasync::testing
