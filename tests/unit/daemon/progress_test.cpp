#include "progress.hpp"

#include "commands/sync_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace heiasync {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

Advance progress_of(std::int64_t done, std::int64_t all, std::int64_t requests = 0, std::int64_t failures = 0) {
    sync::Progress progress;
    progress.organisations_done = done;
    progress.organisations = all;
    progress.requests = requests;
    progress.failures = failures;
    return commands::advance_of(progress);
}

std::ptrdiff_t filled(const std::string& line) {
    return std::ranges::count(line, '#');
}

TEST(ProgressBar, FitsExactlyIntoEveryWidth) {
    const std::vector<Advance> states{progress_of(0, 0), progress_of(0, 1), progress_of(1, 1, 3, 1),
                                      progress_of(312, 1000, 1248, 2), progress_of(19'999, 20'000, 123'456, 20'000)};
    for (const Advance& state : states) {
        for (const auto elapsed : {0s, 59s, 3'600s, 86'400s}) {
            for (int columns = 0; columns <= 300; ++columns) {
                const std::string line = render(state, elapsed, columns);
                ASSERT_EQ(line.size(), static_cast<std::size_t>(columns)) << line;
                ASSERT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; })) << line;
            }
        }
    }
}

TEST(ProgressBar, ShowsEverythingWhereThereIsRoom) {
    EXPECT_EQ(render(progress_of(312, 1000, 1248, 2), 312s, 120),
              "312 of 1000 organisations [##############.................................] "
              "31 %, 1248 requests, 2 failures, 11 min left");
}

TEST(ProgressBar, TellsOneFromMany) {
    EXPECT_THAT(render(progress_of(0, 1, 1, 1), 1s, 120),
                AllOf(StartsWith("0 of 1 organisation ["), HasSubstr("0 %, 1 request, 1 failure, ")));
}

TEST(ProgressBar, LosesTheLeastImportantFirst) {
    const Advance progress = progress_of(312, 1000, 1248, 2);
    EXPECT_EQ(render(progress, 312s, 70), "312 of 1000 organisations [###.........] 31 %, 2 failures, 11 min left");
    EXPECT_EQ(render(progress, 312s, 60), "312 of 1000 organisations [####..........] 31 %, 11 min left");
    EXPECT_EQ(render(progress, 312s, 50), "312 of 1000 organisations [###.......] 11 min left");
    EXPECT_EQ(render(progress, 312s, 40), "312/1000 [###........] 31 %, 11 min left");
    EXPECT_EQ(render(progress, 312s, 30), "312/1000 [##.....] 11 min left");
    EXPECT_EQ(render(progress, 312s, 24), "312/1000 [##......] 31 %");
    EXPECT_EQ(render(progress, 312s, 20), "312/1000 [##.......]");
    EXPECT_EQ(render(progress, 312s, 17), "312/1000 [#.....]");
    EXPECT_EQ(render(progress, 312s, 10), "312/1000  ");
}

TEST(ProgressBar, HasOrganisationsBarAndEstimateInSixtyColumnsHoweverManyThereAre) {
    for (const std::int64_t all : {2, 1000, 20'000}) {
        for (const auto elapsed : {1s, 600s, 36'000s}) {
            EXPECT_THAT(render(progress_of(1, all, 1'000'000, all), elapsed, 59),
                        MatchesRegex("1 of [0-9]+ organisations \\[#*\\.*\\].* left"));
        }
    }
}

TEST(ProgressBar, EstimatesWhatIsLeftFromWhatWasDone) {
    EXPECT_THAT(render(progress_of(0, 10), 30s, 100), HasSubstr("time left unknown"));
    EXPECT_THAT(render(progress_of(1, 10), 50ms, 100), HasSubstr(", 1 s left"));
    EXPECT_THAT(render(progress_of(1, 10), 5s, 100), HasSubstr(", 45 s left"));
    EXPECT_THAT(render(progress_of(1, 10), 10s, 100), HasSubstr(", 1 min left"));
    EXPECT_THAT(render(progress_of(1, 10), 3'600s, 100), HasSubstr(", 9 h 00 min left"));
    EXPECT_THAT(render(progress_of(10, 10), 30s, 100), HasSubstr(", 0 s left"));
}

TEST(ProgressBar, FillsFromNothingToEverything) {
    EXPECT_EQ(filled(render(progress_of(0, 7), 1s, 100)), 0);
    std::ptrdiff_t before = 0;
    for (std::int64_t done = 1; done <= 7; ++done) {
        const std::ptrdiff_t now = filled(render(progress_of(done, 7), 1s, 100));
        EXPECT_GE(now, before);
        before = now;
    }
    EXPECT_THAT(render(progress_of(7, 7), 1s, 100), Not(HasSubstr("#.")));
    EXPECT_EQ(filled(render(progress_of(8, 7), 1s, 100)), before) << "more than there are";
}

TEST(ProgressBar, SaysThatTheNumberOfOrganisationsIsNotKnownYet) {
    EXPECT_THAT(render(progress_of(0, 0), 1s, 60), HasSubstr("reading the listing of the organisations"));
    EXPECT_THAT(render(progress_of(0, 0), 1s, 60), Not(HasSubstr("[")));
}

TEST(ProgressBar, CountsInTheSingularToo) {
    EXPECT_THAT(render(progress_of(1, 2, 1, 1), 1s, 100), HasSubstr("1 request, 1 failure,"));
}

}  // namespace
}  // namespace heiasync
