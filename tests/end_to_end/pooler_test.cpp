#include "pooler.hpp"

#include "installation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;

constexpr auto date = "2026-06-15";

class SharedSessions : public ::testing::TestWithParam<const char*> {};

TEST_P(SharedSessions, AreRefused) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const Pooler pooler{installation.database_url(), GetParam()};
    installation.config()["database"]["url"] = pooler.url();
    for (const std::string command : {"sync", "run", "migrate", "status"}) {
        const Outcome outcome = installation.run({command});
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << command << ": " << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("set pool_mode = session")) << command;
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 0);
    EXPECT_EQ(installation.api().requests().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Pooler, SharedSessions, ::testing::Values("transaction", "statement"),
                         [](const auto& mode) { return std::string{mode.param}; });

TEST(Pooler, ThatLeavesASessionToItsClientWorks) {
    Installation installation;
    const Pooler pooler{installation.database_url(), "session"};
    installation.config()["database"]["url"] = pooler.url();
    const Outcome outcome = installation.sync_on(date);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs WHERE status = 'succeeded'"), 1);
}

}  // namespace

}  // namespace heiasync::testing
