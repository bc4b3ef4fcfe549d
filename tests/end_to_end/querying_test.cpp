#include "installation.hpp"
#include "querying_page.hpp"
#include "simulator/documents.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// docs/querying.md is a promise: every query on it works as it stands, and its answer is true.

namespace heiasync::testing {

namespace {

constexpr auto first_day = "2026-06-01";
constexpr auto in_between = "2026-06-15";
constexpr auto day_before = "2026-06-30";
constexpr auto latest_day = "2026-07-01";

/// The organisation that the page takes for an example.
constexpr std::int64_t example = 142;

std::string text_or_null(std::optional<std::int64_t> figure) {
    return figure ? std::to_string(*figure) : "NULL";
}

/// A June with something for every question: an organisation that is new, one that is gone, one that has another name,
/// a field that the API has added, and a second run on the last day, which finds one member more and has the listing of
/// reports that the first could not have.
class Querying : public ::testing::Test {
protected:
    void SetUp() override {
        auto& world = installation().api().world();
        const auto changed = simulator::vendor_midnight(core::parse_date(in_between));
        gone_ = installation().truth_on(first_day).organisations().at(0);
        renamed_ = installation().truth_on(first_day).organisations().at(1);
        added_.id = 9001;
        added_.name = "Vastatullut Oy";
        world.hide(gone_.id, changed);
        world.rename(renamed_.id, new_name, changed);
        world.add(added_, changed);

        const auto curious = installation().truth_on(first_day).organisations().back().id;
        const simulator::UsageStats stats{50, 40, 30, 20, 10};
        world.set_stats(curious, {}, stats);
        auto answer = simulator::stats_document(stats, simulator::StatsShape::bare);
        answer.insert(1, R"("coffee_count": 3, )");
        installation().api().answer_with(simulator::Operation::stats, curious, {}, answer);

        ASSERT_EQ(installation().sync_on(first_day).exit_code, exit_code::incomplete) << "some counts are unknown";
        ASSERT_EQ(installation()
                      .sync_on(day_before, {"--stream", "usage-stats", "--organisation", std::to_string(example)})
                      .exit_code,
                  exit_code::done);
        simulator::Fault fault;
        fault.operation = simulator::Operation::reports;
        fault.organisation = example;
        installation().api().fail(fault);
        ASSERT_EQ(installation().sync_on(latest_day).exit_code, exit_code::incomplete);
        installation().api().clear_faults();

        auto grown = world.stats(example, {}, instant_after_slot(latest_day)).value();
        ++grown.total_membership_count.value();
        world.set_stats(example, {}, grown);
        ASSERT_EQ(installation()
                      .run({"sync", "--simulated-time", fmt::format("{}T18:00:00+03:00", latest_day), "--stream",
                            "usage-stats", "--stream", "reports"})
                      .exit_code,
                  exit_code::done);
    }

    Installation& installation() { return installation_; }
    const QueryingPage& page() { return page_; }

    std::string query(std::string_view question) { return page_.query(question); }
    /// Some columns of its answer.
    std::set<std::string> answer(std::string_view columns, std::string_view question) {
        return installation().lines(fmt::format("SELECT {} FROM ({}) AS answer", columns, query(question)));
    }

    static constexpr auto new_name = "Uusi nimi Oy";
    simulator::Organisation gone_;
    simulator::Organisation renamed_;
    simulator::Organisation added_;

private:
    Installation installation_;
    QueryingPage page_ = read_querying_page();
};

TEST_F(Querying, EveryQueryOfThePageHasAnAnswer) {
    ASSERT_GE(page().questions.size(), 15U);
    for (const auto& question : page().questions) {
        SCOPED_TRACE(question);
        const bool needs_three_periods = question.starts_with("Whose energy level fell");
        try {
            EXPECT_EQ(installation().lines(page().queries.at(question) + ";").empty(), needs_three_periods);
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
    }
    EXPECT_EQ(
        difference(installation().lines("SELECT relname FROM pg_class WHERE relnamespace = "
                                        "'heiasync'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND "
                                        "obj_description(oid, 'pg_class') !~ '^(Internal|Owner and writer only)'"),
                   page().relations),
        "")
        << "the page says what a row is in every relation that is there for its readers";
}

TEST_F(Querying, FiguresAreThoseOfTheLastObservation) {
    std::set<std::string> expected;
    for (const auto& organisation : installation().truth_on(latest_day).organisations()) {
        const auto stats =
            installation().api().world().stats(organisation.id, {}, instant_after_slot(latest_day)).value();
        expected.insert(fmt::format("{}|{}|{}|{}|{}|{}", organisation.id, organisation.name, latest_day,
                                    text_or_null(stats.total_membership_count),
                                    text_or_null(stats.hh_core_accepted_membership_count),
                                    text_or_null(stats.app_monthly_use_count)));
    }
    EXPECT_EQ(difference(expected, answer("organisation_id, name, observed_on, total_membership_count, "
                                          "hh_core_accepted_membership_count, app_monthly_use_count",
                                          "How many members")),
              "");

    const auto& world = installation().api().world();
    const simulator::World untouched{small_world().seed, small_world().organisations};
    const auto before = untouched.stats(example, {}, instant_after_slot(day_before)).value();
    const auto after = world.stats(example, {}, instant_after_slot(latest_day)).value();
    EXPECT_EQ(difference({fmt::format("{}|{}|NULL", day_before, before.total_membership_count.value()),
                          fmt::format("{}|{}|{}", latest_day, after.total_membership_count.value(),
                                      after.app_use_count.value() - before.app_use_count.value())},
                         answer("observed_on, total_membership_count, uses_since_previous_row",
                                "How did one organisation's members")),
              "");
}

TEST_F(Querying, EnergyLevelsAreThoseOfTheLatestPeriodAndOfTheOneBefore) {
    struct Level {
        std::optional<double> points;
        std::string counts;
        std::string reason;
    };
    const auto level_of = [&](std::int64_t id, std::string_view first, std::string_view last, std::string_view day) {
        rapidjson::Document document;
        document.Parse<rapidjson::kParseFullPrecisionFlag>(
            simulator::energy_levels_document(installation().api().world(), id, {},
                                              {core::parse_date(first), core::parse_date(last)},
                                              instant_after_slot(day))
                .c_str());
        const auto& result = document["instances"][0]["organisation"];
        Level level;
        level.counts = fmt::format("{}|{}", result["answer_count"].GetInt64(), result["participant_count"].GetInt64());
        if (result["insufficient_data"].IsTrue()) {
            level.reason = result["insufficient_data_reason"].GetString();
        } else {
            level.points = result["average_points"].GetDouble();
        }
        return level;
    };

    std::set<std::string> latest;
    std::map<std::string, double> points;
    std::map<std::string, double> changes;
    const auto asked_before = installation().truth_on(first_day).at_least(5);
    for (const auto& organisation : installation().truth_on(latest_day).organisations()) {
        if (!installation().truth_on(latest_day).at_least(5).contains(subject(organisation.id))) {
            continue;
        }
        const auto june = level_of(organisation.id, "2026-06-01", "2026-06-30", latest_day);
        latest.insert(
            fmt::format("{}|2026-06-01|{}|{}", organisation.name, june.counts, june.points ? "NULL" : june.reason));
        if (june.points) {
            points[organisation.name] = *june.points;
        }
        if (asked_before.contains(subject(organisation.id))) {
            const auto may = level_of(organisation.id, "2026-05-01", "2026-05-31", first_day);
            if (may.points && june.points) {
                changes[organisation.name] = *june.points - *may.points;
            }
        }
    }
    EXPECT_EQ(difference(latest, answer("name, period_start, answer_count, participant_count, insufficient_data_reason",
                                        "How do people feel")),
              "");
    const auto expect_near = [&](const std::map<std::string, double>& expected, const rapidjson::Document& actual,
                                 const char* column) {
        ASSERT_FALSE(expected.empty());
        EXPECT_EQ(actual.Size(), expected.size()) << column;
        for (const auto& row : actual.GetArray()) {
            constexpr double rounded = 0.0051;
            EXPECT_NEAR(row[column].GetDouble(), expected.at(row["name"].GetString()), rounded);
        }
    };
    expect_near(points,
                installation().json(fmt::format("SELECT name, average_points FROM ({}) AS answer WHERE average_points "
                                                "IS NOT NULL",
                                                query("How do people feel"))),
                "average_points");
    expect_near(changes,
                installation().json(fmt::format("SELECT name, change FROM ({}) AS answer WHERE from_period = "
                                                "'2026-05-01' AND to_period = '2026-06-01'",
                                                query("What changed from one period"))),
                "change");
}

TEST_F(Querying, WhatCouldNotBeHadIsAllThatCouldNotBeHad) {
    const auto truth = installation().truth_on(latest_day);
    std::set<std::string> expected;
    for (const auto& line : truth.unmapped_subjects()) {
        expected.insert(fmt::format("skipped|usage_stats|{}|business_id_not_mapped", line));
        expected.insert(fmt::format("skipped|energy_levels|{}|business_id_not_mapped", line));
    }
    for (const auto& line : truth.below(5)) {
        const auto accepted = truth.accepted_members(std::stoll(line), line.substr(line.find('|') + 1)).value();
        expected.insert(
            fmt::format("skipped|energy_levels|{}|below_minimum_accepted_members: {} of 5", line, accepted));
    }
    for (const auto& line : truth.unknown_count()) {
        expected.insert(fmt::format("failed|energy_levels|{}|gate_unknown", line));
    }
    EXPECT_EQ(
        difference(expected, answer("status, stream, organisation_id, business_id, reason", "What could not be had")),
        "");
}

TEST_F(Querying, OrganisationsAndReportsAreThoseThatCameToLight) {
    EXPECT_EQ(difference({fmt::format("{}|gone|{}|{}", gone_.id, gone_.name, gone_.name),
                          fmt::format("{}|renamed|{}|{}", renamed_.id, renamed_.name, new_name),
                          fmt::format("{}|new|NULL|{}", added_.id, added_.name)},
                         answer("organisation_id, change, old_name, name", "Which organisations are new")),
              "");

    std::map<std::int64_t, simulator::Report> newest;
    std::set<std::int64_t> regenerated;
    for (const auto* day : {first_day, latest_day}) {
        for (const auto& report : installation().truth_on(day).viewed_reports()) {
            const auto [known, first] = newest.try_emplace(report.id, report);
            if (!first && report.generated_at > known->second.generated_at) {
                known->second = report;
                regenerated.insert(report.id);
            }
        }
    }
    std::set<std::string> latest;
    for (const auto& [id, report] : newest) {
        latest.insert(fmt::format("{}|{}", id, as_stored(report.generated_at)));
    }
    EXPECT_EQ(difference(latest, answer("DISTINCT report_id, generated_at", "What does the latest version")), "");

    std::set<std::string> changed;
    for (const auto id : regenerated) {
        changed.insert(std::to_string(id));
    }
    ASSERT_FALSE(changed.empty());
    EXPECT_EQ(difference(changed, answer("DISTINCT report_id", "What changed when a report")), "");
}

}  // namespace

}  // namespace heiasync::testing
