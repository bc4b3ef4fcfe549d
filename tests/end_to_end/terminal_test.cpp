#include "terminal.hpp"

#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

/// What an operator sees who runs a sync by hand.

namespace heiasync::testing {

namespace {

using simulator::Operation;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr auto date = "2026-07-01";
constexpr int interrupted = 130;

std::vector<std::string> sync_command(const Installation& installation) {
    return installation.command({"sync", "--simulated-time", after_slot(date)});
}

/// So slow that the bar is drawn many times.
void slow_down(const Installation& installation) {
    simulator::Fault fault;
    fault.kind = simulator::Fault::Kind::delay;
    fault.operation = Operation::stats;
    fault.interval = std::chrono::milliseconds{30};
    installation.api().fail(fault);
}

std::vector<std::string> bars(const Screen& screen) {
    std::vector<std::string> bars;
    std::ranges::copy_if(screen.overwritten(), std::back_inserter(bars),
                         [](const std::string& line) { return line.find(" [") != std::string::npos; });
    return bars;
}

class ProgressBarIn : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ProgressBarIn, IsDrawnInOneLineAndLeavesNothingBehind) {
    Installation installation;
    installation.make_every_count_known(date);
    slow_down(installation);
    Terminal terminal{sync_command(installation), GetParam()};
    EXPECT_EQ(terminal.wait(), exit_code::done) << terminal.sent();

    const auto& screen = terminal.screen();
    const auto organisations = installation.truth_on(date).organisations().size();
    EXPECT_THAT(screen.torn(), IsEmpty());
    EXPECT_THAT(screen.overwritten(), Contains(StartsWith("reading the listing of the organisations")));
    EXPECT_THAT(bars(screen), SizeIs(Ge(5U)));
    EXPECT_THAT(bars(screen),
                Each(AllOf(SizeIs(GetParam() - 1),
                           MatchesRegex(fmt::format("[0-9]+ of {} organisations \\[#*\\.*\\] .* left( unknown)?",
                                                    organisations)))));
    if (GetParam() >= 200) {
        EXPECT_THAT(bars(screen), Each(MatchesRegex(".*\\] [0-9]+ %, [0-9]+ requests, 0 failures, .*")));
    }

    const auto lines = screen.lines();
    EXPECT_THAT(lines, Contains(HasSubstr("info run 1 started: manual, for 2026-07-01")));
    EXPECT_THAT(lines, Contains(HasSubstr(fmt::format("info run 1 succeeded: {} organisations", organisations))));
    EXPECT_THAT(lines, Contains(StartsWith("run 1 for 2026-07-01: succeeded")));
    EXPECT_THAT(lines, Each(Not(HasSubstr("["))));
    EXPECT_EQ(screen.column(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Columns, ProgressBarIn, ::testing::Values(60, 200), ::testing::PrintToStringParamName());

TEST(ProgressBar, LetsEveryLineOfTheLogThroughWhole) {
    Installation installation;
    installation.config()["log"]["level"] = "debug";
    slow_down(installation);
    const auto began = std::chrono::steady_clock::now();
    Terminal terminal{sync_command(installation), 60};
    terminal.wait();
    const auto tenths = (std::chrono::steady_clock::now() - began) / std::chrono::milliseconds{100};
    EXPECT_THAT(terminal.screen().torn(), IsEmpty());
    EXPECT_THAT(bars(terminal.screen()), SizeIs(AllOf(Ge(5U), Le(static_cast<std::size_t>(tenths) + 1))));
    std::size_t answers = 0;
    for (const auto& line : terminal.screen().lines()) {
        EXPECT_THAT(line, Not(HasSubstr(" [")));
        if (line.find(" debug ") != std::string::npos) {
            EXPECT_THAT(line, MatchesRegex("2[-0-9T:.]+Z debug (GET|POST) /[a-z0-9/_{}]+: [0-9]+ in [0-9.]+ ms, [0-9]+ "
                                           "bytes"));
            ++answers;
        }
    }
    EXPECT_EQ(answers, installation.api().requests().size());
}

TEST(ProgressBar, FollowsTheWidthOfTheWindow) {
    Installation installation;
    slow_down(installation);
    Terminal terminal{sync_command(installation), 200};
    const auto drawn = [&terminal](std::size_t columns) {
        return [&terminal, columns] {
            const auto all = bars(terminal.screen());
            return !all.empty() && all.back().size() == columns - 1;
        };
    };
    terminal.read_until(drawn(200));
    terminal.resize(60);
    terminal.read_until(drawn(60));
    terminal.wait();
    EXPECT_THAT(terminal.screen().torn(), IsEmpty());
}

TEST(ProgressBar, IsNotDrawnWhereNobodyWantsItOrNothingCanEraseIt) {
    const std::vector<std::pair<std::vector<std::string>, Environment>> cases{
        {{"--quiet"}, {}}, {{}, {{"TERM", "dumb"}}}, {{}, {{"TERM", ""}}}};
    for (const auto& [options, environment] : cases) {
        Installation installation;
        slow_down(installation);
        auto command = sync_command(installation);
        command.insert(command.end(), options.begin(), options.end());
        Terminal terminal{command, 80, environment};
        terminal.wait();
        EXPECT_THAT(terminal.sent(), Not(HasSubstr("\x1b")));
        EXPECT_THAT(bars(terminal.screen()), IsEmpty());
    }
    Installation installation;
    slow_down(installation);
    const auto outcome = installation.sync_on(date);
    EXPECT_THAT(outcome.out + outcome.err, Not(AnyOf(HasSubstr("\x1b"), HasSubstr("\r"))));
}

class ControlC : public ::testing::TestWithParam<Operation> {};

TEST_P(ControlC, GivesThePromptBackAndTheNextSyncCompletesTheDay) {
    Installation installation;
    installation.make_every_count_known(date);
    simulator::Fault fault;
    fault.kind = simulator::Fault::Kind::hang;
    fault.operation = GetParam();
    installation.api().fail(fault);

    Terminal terminal{sync_command(installation), 60};
    terminal.read_until([&installation] { return installation.requests(GetParam()) > 0; });
    const auto pressed = std::chrono::steady_clock::now();
    terminal.type("\x03");
    EXPECT_EQ(terminal.wait(), interrupted) << terminal.sent();
    EXPECT_LT(std::chrono::steady_clock::now() - pressed, std::chrono::seconds{5});

    const auto& screen = terminal.screen();
    EXPECT_EQ(screen.column(), 0U);
    EXPECT_THAT(screen.torn(), IsEmpty());
    const auto lines = screen.lines();
    EXPECT_THAT(lines, Each(Not(AnyOf(HasSubstr(" ["), HasSubstr("^C")))));
    ASSERT_THAT(lines, SizeIs(Ge(2U)));
    EXPECT_THAT(lines.back(), IsEmpty());
    EXPECT_THAT(lines[lines.size() - 2],
                AllOf(StartsWith("heiasyncd: stopped"), HasSubstr("`heiasyncd sync` goes on")));

    installation.api().clear_faults();
    const auto next = installation.sync_on(date);
    EXPECT_EQ(next.exit_code, exit_code::done) << next;
    EXPECT_EQ(installation.lines("SELECT DISTINCT organisation_id FROM heiasync.usage_stats").size(),
              installation.truth_on(date).organisations().size());
}

INSTANTIATE_TEST_SUITE_P(During, ControlC,
                         ::testing::Values(Operation::token, Operation::organisations, Operation::stats,
                                           Operation::energy_levels, Operation::reports, Operation::full_data),
                         [](const auto& operation) { return std::string{to_string(operation.param)}; });

}  // namespace

}  // namespace heiasync::testing
