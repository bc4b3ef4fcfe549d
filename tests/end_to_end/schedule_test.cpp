#include "installation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Schedule, MarksDstChangesAndWhatEachFiringWouldPull) {
    Installation installation;
    installation.config()["schedule"]["daily_at"] = "03:30";
    const auto autumn = installation.run({"schedule", "--from", "2026-10-24T12:00:00Z", "--count", "8"});
    EXPECT_EQ(autumn.exit_code, exit_code::done) << autumn;
    EXPECT_THAT(autumn.out, StartsWith("2026-10-25 03:30:00 +03:00   2026-10-25T00:30:00Z   DST change: daily_at comes "
                                       "twice, the first counts\n2026-10-26 03:30:00 +02:00   2026-10-26T01:30:00Z\n"));
    EXPECT_THAT(autumn.out, HasSubstr("2026-11-01 03:30:00 +02:00   2026-11-01T01:30:00Z   energy levels of 2026-10-01 "
                                      "to 2026-10-31\n"));
    const auto spring = installation.run({"schedule", "--from", "2027-03-27T12:00:00Z", "--count", "1"});
    EXPECT_EQ(spring.out,
              "2027-03-28 04:00:00 +03:00   2027-03-28T01:00:00Z   DST change: daily_at is skipped on this date\n");
}

TEST(Schedule, AsJsonHasTheFieldsOfTheDocumentation) {
    Installation installation;
    installation.config()["energy_levels"]["reporting_period_months"] = 3;
    const auto outcome = installation.run({"schedule", "--from", "2026-09-30T00:00:00Z", "--count", "2", "--json"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(outcome.out,
              R"({"time_zone":"Europe/Helsinki","firings":[{"date":"2026-09-30","local":"2026-09-30T04:30:00+03:00",)"
              R"("utc":"2026-09-30T01:30:00Z","shifted":null,"periods":[]},{"date":"2026-10-01",)"
              R"("local":"2026-10-01T04:30:00+03:00","utc":"2026-10-01T01:30:00Z","shifted":null,"periods":[)"
              R"({"period_start":"2026-07-01","period_end":"2026-09-30"}]}]})"
              "\n");
}

}  // namespace

}  // namespace heiasync::testing
