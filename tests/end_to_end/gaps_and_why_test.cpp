#include "content.hpp"
#include "database_proxy.hpp"
#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Fields = std::set<std::string>;

rapidjson::Document json_of(const Outcome& outcome) {
    rapidjson::Document document;
    document.Parse(outcome.out.c_str());
    if (!document.IsObject()) {
        throw std::runtime_error{"this is no JSON object: " + outcome.out + outcome.err};
    }
    return document;
}

Fields fields(const rapidjson::Value& object) {
    Fields names;
    for (const auto& member : object.GetObject()) {
        names.emplace(member.name.GetString());
    }
    return names;
}

/// How many cells `why --json` has of each outcome.
std::map<std::string, std::size_t> outcomes(const rapidjson::Value& why) {
    std::map<std::string, std::size_t> counts;
    for (const auto& cell : why["cells"].GetArray()) {
        ++counts[cell["outcome"].GetString()];
    }
    return counts;
}

/// Moves the simulated time last seen.
void now(const Installation& installation, const std::string& instant) {
    installation.execute(fmt::format("UPDATE heiasync.rehearsal SET simulated_now = '{}'", instant));
}

class GapsAndWhy : public ::testing::Test {
protected:
    GapsAndWhy() { installation.make_every_count_known("2026-07-01"); }

    /// Of all calls for statistics, the first so many.
    void refuse_stats(unsigned calls) const {
        Fault refused;
        refused.operation = Operation::stats;
        refused.status = 403;
        refused.times = calls;
        installation.api().fail(refused);
    }
    [[nodiscard]] std::vector<std::string> lines_of(const std::vector<std::string>& arguments) const {
        std::istringstream text{installation.run(arguments).out};
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    Installation installation{tiny_world()};
};

TEST_F(GapsAndWhy, ADatabaseWithoutASchemaIsTold) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{"gaps"},
                                                    {"gaps", "--json"},
                                                    {"why", "2026-07-01"},
                                                    {"why", "2026-07-01", "--json"}}) {
        const Outcome outcome = installation.run(command);
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("there is no history in this database"));
        EXPECT_EQ(outcome.out, "") << "who looks at the wrong database sees no green";
    }
}

TEST_F(GapsAndWhy, AHistoryWithoutARunIsTold) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const Outcome gaps = installation.run({"gaps"});
    EXPECT_EQ(gaps.exit_code, exit_code::done) << gaps;
    EXPECT_EQ(gaps.out, "no gaps\n");
    EXPECT_THAT(gaps.err, HasSubstr("no history yet"));
    EXPECT_THAT(lines_of({"why", "2026-07-01"}),
                ElementsAre("date      2026-07-01", "slot      unknown: nothing was ever run", "ready     -",
                            "complete  -", "runs      none", "nothing is expected of this date (rule 6)"));
    const auto why = json_of(installation.run({"why", "2026-07-01", "--json"}));
    EXPECT_TRUE(why["slot"].IsNull());
    EXPECT_TRUE(why["runs"].Empty());
    EXPECT_TRUE(why["cells"].Empty());
    EXPECT_EQ(json_of(installation.run({"gaps", "--json"}))["gaps"].Size(), 0U);
}

TEST_F(GapsAndWhy, ARoleThatMayOnlyReadIsEnough) {
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    query(installation.database_url(),
          "CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data; ALTER ROLE watcher SET "
          "default_transaction_read_only = on");
    installation.config()["database"]["url"] = PostgresServer::as_role(installation.database_url(), "watcher");
    EXPECT_EQ(installation.run({"gaps"}).exit_code, exit_code::done);
    EXPECT_EQ(installation.run({"why", "2026-07-01"}).exit_code, exit_code::done);
    EXPECT_THAT(installation.run({"status"}).out, HasSubstr("next run"));
    const Outcome sync = installation.run({"sync"});
    EXPECT_EQ(sync.exit_code, exit_code::unavailable) << sync;
    query(installation.database_url(), "DROP ROLE watcher");
}

TEST_F(GapsAndWhy, ANewInstallationWithRejectedCredentialsSeesItsRuns) {
    installation.write("magic_token", "not-the-token-that-the-api-knows\n");
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::rejected);
    const Outcome why = installation.run({"why", "2026-06-15"});
    EXPECT_EQ(why.exit_code, exit_code::done) << why;
    EXPECT_THAT(why.out, HasSubstr("slot      2026-06-15 04:30:00 +03:00\nready     -\ncomplete  -\nrun 1"));
    EXPECT_THAT(why.out,
                ContainsRegex("run 1 +manual at 2026-06-15 04:35:[^:]+ \\+03:00: failed, .*: POST /oauth/token: 403"));
    EXPECT_THAT(why.out, HasSubstr("nothing is expected of this date (rule 6)\n"));
    const auto json = json_of(installation.run({"why", "2026-06-15", "--json"}));
    ASSERT_TRUE(json["slot"].IsString());
    EXPECT_STREQ(json["slot"].GetString(), "2026-06-15T01:30:00Z");
    ASSERT_EQ(json["runs"].Size(), 1U);
    EXPECT_STREQ(json["runs"][0]["status"].GetString(), "failed");
}

TEST_F(GapsAndWhy, ADateIsToldInASummary) {
    ASSERT_EQ(installation.sync_on("2026-06-30").exit_code, exit_code::done);
    refuse_stats(1);
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::incomplete);
    const Outcome why = installation.run({"why", "2026-07-01"});
    EXPECT_EQ(why.exit_code, exit_code::done) << why;
    EXPECT_THAT(why.out, StartsWith("date      2026-07-01\nslot      2026-07-01 04:30:00 +03:00\nready     no\n"
                                    "complete  no\nrun 2     manual at 2026-07-01 04:35:"));
    EXPECT_THAT(why.out, ContainsRegex("\norganisations +1  stored \\(rule 4\\)\n"));
    EXPECT_THAT(why.out, ContainsRegex("\nusage_stats +1  final gap, [a-z_]+ \\(rule 8\\)\n"));
    EXPECT_THAT(why.out, ContainsRegex("\nenergy_levels +1  open gap, gate_unknown \\(rule 5\\)\n"));
    EXPECT_THAT(why.out, ContainsRegex("\nenergy_levels +[0-9]+  stored \\(rule 4\\)\n"));
    EXPECT_THAT(why.out, ContainsRegex("\nenergy_levels +[0-9]+  skipped, below_minimum_accepted_members: "
                                       "[0-4] of 5 \\(rule 5\\)\n"));
    EXPECT_THAT(why.out, ContainsRegex("\nreports +[0-9]+  stored \\(rule 4\\)\n"));
    EXPECT_THAT(why.out, Not(HasSubstr("please report")));
}

TEST_F(GapsAndWhy, OfOneOrganisationEveryAttemptIsTold) {
    ASSERT_EQ(installation.sync_on("2026-06-30").exit_code, exit_code::done);
    refuse_stats(1);
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::incomplete);
    const auto organisation = installation.value(
        "SELECT organisation_id FROM heiasync.sync_tasks WHERE status = 'failed' AND stream = 'usage_stats'");
    const std::vector<std::string> asked{"why", "2026-07-01", "--organisation", organisation};
    const Outcome why = installation.run(asked);
    EXPECT_EQ(why.exit_code, exit_code::done) << why;
    EXPECT_THAT(why.out, ContainsRegex("\norganisations: stored \\(rule 4\\)\n  run 2 at 2026-07-01T01:3[^ ]+Z: done"));
    EXPECT_THAT(why.out, ContainsRegex("\nusage_stats: final gap, [a-z_]+: .+ \\(rule 8\\)\n"
                                       "  run 2 at 2026-07-01T01:3[^ ]+Z: failed, [a-z_]+ \\(HTTP 403\\): "));
    EXPECT_THAT(why.out, ContainsRegex("\nenergy_levels, period 2026-06-01 to 2026-06-30: "));
    EXPECT_THAT(why.out, ContainsRegex("\nreports: stored \\(rule 4\\)\n"));

    auto with_json = asked;
    with_json.emplace_back("--json");
    const auto json = json_of(installation.run(with_json));
    EXPECT_EQ(fields(json), (Fields{"date", "slot", "ready", "complete", "runs", "cells", "organisation_is_known",
                                    "organisation_erased_at"}));
    EXPECT_EQ(fields(json["runs"][0]), (Fields{"sync_run_id", "trigger", "run_on", "scheduled_for", "started_at",
                                               "finished_at", "status", "organisations", "requests", "failures",
                                               "bytes_received", "error", "host", "version", "limited_to"}));
    for (const auto& cell : json["cells"].GetArray()) {
        EXPECT_EQ(fields(cell),
                  (Fields{"stream", "organisation_id", "business_id", "period_start", "period_end", "report_id",
                          "generated_at", "outcome", "state", "reason", "rule", "last_error", "attempts"}));
        const auto id = cell["organisation_id"].GetInt64();
        EXPECT_TRUE(id == 0 || id == std::stoll(organisation));
        EXPECT_EQ(cell["state"].IsString(), cell["outcome"] == "missing");
        for (const auto& attempt : cell["attempts"].GetArray()) {
            EXPECT_EQ(fields(attempt),
                      (Fields{"sync_run_id", "status", "reason", "http_status", "error", "finished_at"}));
        }
    }
}

TEST_F(GapsAndWhy, WhatIsNotDueYetIsNotStored) {
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    now(installation, "2026-06-16 03:00+03");
    const auto cells = static_cast<std::size_t>(
        installation.count("SELECT count(*) FROM heiasync.expected('2026-06-16', '2026-06-16')"));
    const auto today = json_of(installation.run({"why", "2026-06-16", "--json"}));
    EXPECT_EQ(outcomes(today), (std::map<std::string, std::size_t>{{"not_due", cells}}));
    EXPECT_TRUE(today["cells"][0]["reason"].IsNull());
    EXPECT_EQ(today["cells"][0]["rule"].GetInt(), 7);
    const Outcome text = installation.run({"why", "2026-06-16"});
    EXPECT_THAT(text.out, ContainsRegex("\norganisations +1  not due yet \\(rule 7\\)\n"));
    EXPECT_THAT(text.out, AllOf(Not(HasSubstr("stored")), Not(HasSubstr("nothing is expected"))));

    for (const auto* date : {"2026-06-17", "2030-01-01"}) {
        const Outcome to_come = installation.run({"why", date});
        EXPECT_EQ(to_come.exit_code, exit_code::done) << to_come;
        EXPECT_THAT(to_come.out, HasSubstr("runs      none\nnothing is expected yet: the date is still to come "));
        EXPECT_THAT(to_come.out, Not(HasSubstr("stored")));
        EXPECT_TRUE(json_of(installation.run({"why", date, "--json"}))["cells"].Empty());
    }
}

TEST_F(GapsAndWhy, WhatWasSkippedAndFetchedLaterIsStored) {
    ASSERT_EQ(installation.sync_on("2026-06-30").exit_code, exit_code::done);
    installation.config()["energy_levels"]["minimum_accepted_members"] = 1'000'000;
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    const auto subject = *installation.truth_on("2026-07-01").at_least(5).begin();
    const auto organisation = subject.substr(0, subject.find('|'));
    const auto outcome = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"why", "2026-07-01", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto why = json_of(installation.run(arguments));
        for (const auto& cell : why["cells"].GetArray()) {
            if (cell["stream"] == "energy_levels" &&
                testing::subject(cell["organisation_id"].GetInt64(), cell["business_id"].GetString()) == subject) {
                return fmt::format("{} by rule {}", cell["outcome"].GetString(), cell["rule"].GetInt());
            }
        }
        return std::string{};
    };
    EXPECT_EQ(outcome({}), "skipped by rule 5");
    EXPECT_EQ(outcome({"--organisation", organisation}), "skipped by rule 5");
    installation.config()["energy_levels"]["minimum_accepted_members"] = 5;
    ASSERT_EQ(installation.sync_on("2026-07-02", {"--period", "2026-06"}).exit_code, exit_code::done);
    EXPECT_EQ(outcome({}), "stored by rule 4");
    EXPECT_EQ(outcome({"--organisation", organisation}), "stored by rule 4");
}

TEST(Why, CountsWhatWasAskedForAndIsNotExpected) {
    auto options = tiny_world();
    options.page_cap = 5;
    Installation installation{options};
    installation.make_every_count_known("2026-06-15");
    const auto newcomer = installation.truth_on("2026-06-15").organisations().front().id;
    installation.api().world().hide(newcomer, core::Instant::min(), instant_after_slot("2026-06-15"));
    ASSERT_EQ(installation.sync_on("2026-06-14").exit_code, exit_code::done);
    Fault broken;
    broken.operation = Operation::organisations;
    broken.after = 1;
    installation.api().fail(broken);
    Fault refused;
    refused.status = 403;
    refused.operation = Operation::stats;
    refused.organisation = newcomer;
    installation.api().fail(refused);
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::incomplete);

    const auto tasks = static_cast<std::size_t>(installation.count(
        fmt::format("SELECT count(*) FROM heiasync.sync_tasks WHERE organisation_id = {}", newcomer)));
    ASSERT_GE(tasks, 2U) << "it was asked for";
    const auto why = json_of(installation.run({"why", "2026-06-15", "--json"}));
    EXPECT_EQ(outcomes(why).at("not_expected"), tasks);
    for (const auto& cell : why["cells"].GetArray()) {
        const bool is_of_newcomer = cell["organisation_id"].GetInt64() == newcomer;
        EXPECT_EQ(cell["outcome"] == "not_expected", is_of_newcomer);
        if (is_of_newcomer) {
            EXPECT_EQ(cell["rule"].GetInt(), 6);
            EXPECT_EQ(cell["attempts"].Size(), 1U);
        }
    }
    const Outcome summary = installation.run({"why", "2026-06-15"});
    EXPECT_THAT(summary.out, ContainsRegex("\nusage_stats +1  not expected, [a-z_]+ \\(rule 6\\)\n"));
    EXPECT_THAT(summary.out, ContainsRegex("\nreports +[0-9]+  not expected, but done \\(rule 6\\)\n"));
    EXPECT_THAT(installation.run({"why", "2026-06-15", "--organisation", std::to_string(newcomer)}).out,
                ContainsRegex("\nusage_stats: not expected, [a-z_]+: .*\\(rule 6\\)\n  run 2 at .*: failed, "
                              "[a-z_]+ \\(HTTP 403\\)"));
    EXPECT_EQ(
        installation.count(fmt::format("SELECT count(*) FROM heiasync.sync_gaps WHERE organisation_id = {}", newcomer)),
        0);
}

TEST_F(GapsAndWhy, AGapIsALineAndManyOfAKindAreCounted) {
    refuse_stats(1);
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::incomplete);
    const auto organisation = installation.value(
        "SELECT organisation_id FROM heiasync.sync_tasks WHERE status = 'failed' AND stream = 'usage_stats'");
    const Outcome one = installation.run({"gaps"});
    EXPECT_EQ(one.exit_code, exit_code::incomplete) << one;
    EXPECT_THAT(one.out, ContainsRegex("^2026-06-15  final  usage_stats    [a-z_]+: organisation " + organisation +
                                       "[^:]*: .+\n\n1 gap: 0 open, 1 final; `heiasyncd why DATE` tells more"));
    EXPECT_EQ(installation.run({"gaps", "--open"}).out, "no gaps\n");
    EXPECT_EQ(installation.run({"gaps", "--open"}).exit_code, exit_code::done);

    now(installation, "2026-06-17 12:00+03");
    const auto organisations = installation.count("SELECT count(*) FROM heiasync.organisations");
    const Outcome many = installation.run({"gaps", "--from", "2026-06-16"});
    EXPECT_THAT(many.out, ContainsRegex("^2026-06-16  final  organisations  no_run: the listing of organisations\n"));
    EXPECT_THAT(many.out, HasSubstr(fmt::format("\n2026-06-16  final  reports        no_run: {0} cells of {0} "
                                                "organisations\n",
                                                organisations)));
    EXPECT_THAT(many.out, HasSubstr("\n2026-06-17  open   usage_stats    no_run: "));
    EXPECT_THAT(installation.run({"gaps", "--open"}).out,
                AllOf(StartsWith("2026-06-17  open "), Not(HasSubstr("final "))));
    const Outcome before = installation.run({"gaps", "--to", "2026-06-14"});
    EXPECT_EQ(before.out, "no gaps\n");
    EXPECT_THAT(before.err, HasSubstr("none of these dates is in the history"));

    const auto json = json_of(installation.run({"gaps", "--json", "--to", "2026-06-15"}));
    ASSERT_EQ(json["gaps"].Size(), 1U);
    EXPECT_EQ(fields(json["gaps"][0]),
              (Fields{"stream", "organisation_id", "business_id", "expected_on", "period_start", "period_end",
                      "report_id", "state", "reason", "last_error", "last_attempt_at", "generated_at"}));
}

TEST_F(GapsAndWhy, GapsAreLookedForInThe400DaysBeforeTheLastDate) {
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    now(installation, "2028-01-01 12:00+02");
    const auto first = [this](const std::vector<std::string>& arguments) {
        const Outcome gaps = installation.run(arguments);
        EXPECT_EQ(gaps.exit_code, exit_code::incomplete) << gaps;
        return gaps.out.substr(0, std::string_view{"2026-06-16"}.size());
    };
    EXPECT_EQ(first({"gaps", "--to", "2026-06-16"}), "2026-06-16");
    EXPECT_EQ(first({"gaps", "--to", "2027-07-25"}), "2026-06-20");
    EXPECT_EQ(first({"gaps"}), "2026-11-27");
}

TEST_F(GapsAndWhy, ADatabaseThatGoesAwayInTheMiddleLeavesNoHalfDocument) {
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    now(installation, "2026-06-25 12:00+03");
    constexpr std::size_t middle = 6;
    const DatabaseProxy proxy{installation.database_url(), {[](std::size_t number) {
                                  return number == middle ? DatabaseProxy::Commit::lost : DatabaseProxy::Commit::pass;
                              }}};
    installation.config()["database"]["url"] = proxy.url();
    const Outcome gaps = installation.run({"gaps", "--json"});
    EXPECT_GE(proxy.commits(), middle) << "it was in the middle";
    EXPECT_EQ(gaps.exit_code, exit_code::unavailable) << gaps;
    EXPECT_THAT(gaps.out, IsEmpty());
    installation.config()["database"]["url"] = installation.database_url();
    EXPECT_FALSE(json_of(installation.run({"gaps", "--json"}))["gaps"].Empty());
}

TEST_F(GapsAndWhy, DatesInTheWrongOrderAreRefused) {
    const Outcome gaps = installation.run({"gaps", "--from", "2026-06-02", "--to", "2026-06-01"});
    EXPECT_EQ(gaps.exit_code, exit_code::usage) << gaps;
    EXPECT_THAT(gaps.out, IsEmpty());
    EXPECT_THAT(gaps.err, HasSubstr("--from 2026-06-02 is later than --to 2026-06-01"));
}

}  // namespace

}  // namespace heiasync::testing
