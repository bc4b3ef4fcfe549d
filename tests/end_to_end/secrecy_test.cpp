#include "secrecy.hpp"

#include "installation.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace heiasync::testing {

namespace {

TEST(Secrecy, AFinderFindsWhatItLooksFor) {
    SecretFinder finder;
    finder.add("abc-the-secret-that-is-looked-for");
    EXPECT_TRUE(finder.find_in("").empty());
    EXPECT_TRUE(finder.find_in("the-secret-that-is-looked-fo").empty());
    EXPECT_EQ(finder.find_in("at the end: the-secret-that-is-looked-for").size(), 1U);
    EXPECT_EQ(finder.find_in("abc-the-secret-that-is-looked-for, and more").size(), 1U);
}

TEST(Secrecy, TheMostTalkativeRunsGiveNothingAway) {
    for (const auto* format : {"text", "json"}) {
        Installation installation;
        installation.config()["log"]["level"] = "debug";
        installation.config()["log"]["format"] = format;
        EXPECT_EQ(installation.run({"check"}).exit_code, exit_code::done);
        installation.sync_on("2026-07-01", {"--dry-run"});

        // Everything goes wrong at least once, full_data with its secret in the path in every way.
        using Kind = simulator::Fault::Kind;
        unsigned after = 2;  // and not one upon the other, which would end the run
        for (const auto kind : {Kind::status, Kind::drop, Kind::reset, Kind::truncate, Kind::garbage, Kind::html,
                                Kind::empty, Kind::broken_gzip, Kind::cut_short, Kind::redirect}) {
            for (const auto operation : {simulator::Operation::full_data, simulator::Operation::reports,
                                         simulator::Operation::stats, simulator::Operation::energy_levels}) {
                simulator::Fault fault;
                fault.kind = kind;
                fault.operation = operation;
                fault.times = 1;
                fault.after = after;
                installation.api().fail(fault);
            }
            after += 3;
        }
        simulator::Fault refused;  // for good: what fails otherwise is asked again
        refused.status = 404;
        refused.operation = simulator::Operation::full_data;
        refused.times = 1;
        installation.api().fail(refused);
        const auto troubled = installation.sync_on("2026-07-01");
        EXPECT_EQ(troubled.exit_code, exit_code::incomplete) << troubled;
        installation.api().expire_tokens();
        installation.api().clear_faults();
        installation.sync_on("2026-07-02");
        EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.report_sources"), 0);
        EXPECT_GT(
            installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed' AND report_id IS "
                               "NOT NULL"),
            0);
    }
}

/// The installation looks for both tokens in every table when it ends.
TEST(Secrecy, ARenewedTokenIsInNoTable) {
    Installation installation;
    simulator::Fault fault;
    fault.kind = simulator::Fault::Kind::expired_token;
    fault.times = 1;
    fault.operation = simulator::Operation::reports;
    installation.api().fail(fault);
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    EXPECT_EQ(installation.requests(simulator::Operation::token), 2U);
}

TEST(Secrecy, ADataInstanceIdIsNowhereButInReportSources) {
    Installation installation;
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    SecretFinder ids;
    for (const auto& id : installation.data_instance_ids()) {
        ids.add(id);
    }
    const auto all = installation.dump();
    std::set<std::string> tables;
    for (const auto& row : all) {
        if (!ids.find_in(row).empty()) {
            tables.insert(row.substr(0, row.find(' ')));
        }
    }
    EXPECT_EQ(tables, std::set<std::string>{"report_sources"}) << "which proves that they would be found elsewhere";
}

}  // namespace

}  // namespace heiasync::testing
