#include "simulator/world.hpp"

#include "simulator/documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace heiasync::simulator {
namespace {

using namespace std::chrono_literals;
using date::days;
using testing::Not;

const core::Instant first_of_july = core::parse_instant("2026-07-01T04:30:00+03:00");

/// All that the world says about a day, apart from documents.
std::string describe(const World& world, core::Instant at) {
    const auto organisations = world.organisations(at);
    auto text = organisations_document(organisations, std::nullopt);
    for (const auto& organisation : organisations) {
        text += stats_document(world.stats(organisation.id, {}, at).value(), StatsShape::bare);
        text += reports_document(world.reports(organisation.id, at), std::nullopt);
    }
    return text;
}

TEST(World, IsTheSameForTheSameSeedAndDay) {
    EXPECT_EQ(describe(World{7, 60}, first_of_july), describe(World{7, 60}, first_of_july));
    EXPECT_NE(describe(World{7, 60}, first_of_july), describe(World{8, 60}, first_of_july));
}

TEST(World, StandsStillForADayAndMovesAtMidnightInFinland) {
    const World world{1, 100};
    const auto midnight = core::parse_instant("2026-07-01T00:00:00+03:00");
    EXPECT_EQ(describe(world, midnight), describe(world, midnight + 24h - 1us));
    EXPECT_NE(describe(world, midnight), describe(world, midnight - 1us));
}

TEST(World, HasEveryKindOfAcceptance) {
    const World world{1, 100};
    std::set<std::string> kinds;
    for (const auto& organisation : world.organisations(first_of_july)) {
        const auto accepted = [&](core::Instant at) {
            const auto stats = world.stats(organisation.id, {}, at);
            return stats ? stats->hh_core_accepted_membership_count : std::nullopt;
        };
        const auto before = accepted(first_of_july - days{150});
        const auto after = accepted(first_of_july + days{150});
        kinds.insert(!accepted(first_of_july)       ? "null"
                     : before < 5 && after >= 5     ? "rising through five"
                     : before >= 5 && after < 5     ? "falling through five"
                     : accepted(first_of_july) == 5 ? "five"
                     : accepted(first_of_july) < 5  ? "few"
                                                    : "many");
        for (const auto at : {first_of_july - days{150}, first_of_july, first_of_july + days{150}}) {
            if (const auto stats = world.stats(organisation.id, {}, at); stats && accepted(at)) {
                EXPECT_LE(0, *accepted(at));
                EXPECT_LE(*accepted(at), *stats->hh_core_total_membership_count);
                EXPECT_LE(*stats->hh_core_total_membership_count, *stats->total_membership_count);
            }
        }
    }
    EXPECT_THAT(kinds, testing::UnorderedElementsAre("null", "rising through five", "falling through five", "five",
                                                     "few", "many"));
}

TEST(World, CountsUsesUpwardsAndAMonthAsADifference) {
    const World world{1, 60};
    for (const auto& organisation : world.organisations(first_of_july)) {
        auto at = first_of_july;
        auto stats = world.stats(organisation.id, {}, at).value();
        for (int day = 0; day < 40 && stats.app_use_count && world.organisation(organisation.id, at - days{1}); ++day) {
            at -= days{1};
            const auto earlier = world.stats(organisation.id, {}, at).value();
            EXPECT_LE(*earlier.app_use_count, *stats.app_use_count);
            if (day == 29) {
                EXPECT_EQ(*world.stats(organisation.id, {}, first_of_july)->app_monthly_use_count,
                          *world.stats(organisation.id, {}, first_of_july)->app_use_count - *earlier.app_use_count);
            }
            stats = earlier;
        }
    }
}

TEST(World, HasBusinessIdsWithAndWithoutUsers) {
    const World world{1, 100};
    std::set<std::string> kinds;
    for (const auto& organisation : world.organisations(first_of_july)) {
        EXPECT_EQ(organisation.multi_business_id, !organisation.business_ids.empty());
        for (const auto& business_id : organisation.business_ids) {
            const auto stats = world.stats(organisation.id, business_id.id, first_of_july);
            EXPECT_EQ(stats.has_value(), business_id.mapped);
            kinds.insert(!stats                                                 ? "without users"
                         : stats->hh_core_accepted_membership_count.value() < 5 ? "below the gate"
                                                                                : "above the gate");
        }
    }
    EXPECT_THAT(kinds, testing::UnorderedElementsAre("without users", "below the gate", "above the gate"));
    EXPECT_FALSE(world.stats(world.organisations(first_of_july).front().id, "0000000-0", first_of_july));
}

TEST(World, HasEveryKindOfReportWithinTwoYears) {
    const World world{1, 300};
    std::set<std::string> kinds;
    std::size_t most = 0;
    for (const auto& organisation : world.organisations(first_of_july)) {
        std::map<std::int64_t, Report> known;
        std::optional<core::Instant> newest_known;
        for (auto at = first_of_july - days{600}; at <= first_of_july; at += days{3}) {
            const auto reports = world.reports(organisation.id, at);
            most = std::max(most, reports.size());
            EXPECT_TRUE(std::ranges::is_sorted(reports, std::greater{}, &Report::generated_at));
            for (const auto& report : reports) {
                EXPECT_LT(report.generated_at, at);
                EXPECT_EQ(report.viewed, report.first_viewed_at.has_value());
                if (!report.viewed) {
                    kinds.insert("not viewed");
                    EXPECT_FALSE(world.report(report.data_instance_id, at));
                    continue;
                }
                const auto found = world.report(report.data_instance_id, at);
                ASSERT_TRUE(found);
                EXPECT_EQ(std::tie(found->id, found->generation), std::tie(report.id, report.generation));
                const auto [before, fresh] = known.try_emplace(report.id, report);
                if (fresh) {
                    if (newest_known && report.generated_at < *newest_known) {
                        kinds.insert("viewed after a newer one");
                    }
                    if (at - report.generated_at > days{530} && report.generation == 0 && known.size() > 1) {
                        kinds.insert("a year and a half old when viewed");
                    }
                    kinds.insert(report.sub_report_business_id ? "sub report" : "main report");
                } else if (before->second.generation != report.generation) {
                    EXPECT_LT(before->second.generated_at, report.generated_at);
                    kinds.insert(before->second.data_instance_id == report.data_instance_id
                                     ? "regenerated under the same id"
                                     : "regenerated under another id");
                    before->second = report;
                }
                newest_known = std::max(newest_known.value_or(report.generated_at), report.generated_at);
            }
        }
        kinds.insert(known.empty() ? "none" : "some");
    }
    EXPECT_THAT(kinds, testing::IsSupersetOf({"none", "some", "not viewed", "viewed after a newer one",
                                              "a year and a half old when viewed", "sub report", "main report",
                                              "regenerated under the same id", "regenerated under another id"}));
    EXPECT_GT(most, 20U) << "one page of reports must not be enough everywhere";
}

TEST(World, KnowsNoReportUnderAnInventedId) {
    const World world{1, 20};
    for (const auto* id :
         {"", "organisation_", "organisation_100_survey_key_tyovire_3000_", "a", "zzzzzzzzzzzzzzzzzzzz",
          "ffffffffffffffffffffffff", "organisation_1_99999999999999999999_x"}) {
        EXPECT_FALSE(world.report(id, first_of_july)) << id;
    }
}

TEST(World, CanBeEdited) {
    World world{1, 10};
    const auto id = world.organisations(first_of_july).at(1).id;
    world.rename(id, "Uusi nimi", first_of_july);
    EXPECT_NE(world.organisation(id, first_of_july - 1us)->name, "Uusi nimi");
    EXPECT_EQ(world.organisation(id, first_of_july)->name, "Uusi nimi");
    UsageStats pinned;
    pinned.hh_core_accepted_membership_count = 4;
    world.set_stats(id, {}, pinned);
    EXPECT_EQ(world.stats(id, {}, first_of_july), pinned);
    world.set_teams(id, std::vector<Team>(77));
    EXPECT_EQ(world.teams(id).size(), 77U);
    world.hide(id, first_of_july, first_of_july + days{2});
    EXPECT_TRUE(world.organisation(id, first_of_july - 1us));
    EXPECT_FALSE(world.organisation(id, first_of_july));
    EXPECT_FALSE(world.stats(id, {}, first_of_july));
    EXPECT_TRUE(world.organisation(id, first_of_july + days{2}));

    Organisation added;
    added.id = 1;
    added.name = "Ensimmäinen";
    world.add(added, first_of_july);
    EXPECT_EQ(world.organisations(first_of_july).front(), added);
    EXPECT_THAT(world.organisations(first_of_july - 1us), Not(testing::Contains(added)));
    EXPECT_THROW(world.add(added), std::invalid_argument);
    EXPECT_THROW(world.hide(2), std::invalid_argument);
}

TEST(World, CanBeEditedSeveralTimes) {
    World world{1, 10};
    auto organisation = world.organisations(first_of_july).at(1);
    const auto id = organisation.id;
    const auto later = first_of_july + days{10};
    world.hide(id, first_of_july, first_of_july + days{1});
    world.hide(id, later, later + days{1});
    EXPECT_FALSE(world.organisation(id, first_of_july));
    EXPECT_TRUE(world.organisation(id, first_of_july + days{1}));
    EXPECT_FALSE(world.organisation(id, later));

    UsageStats pinned;
    const auto before = world.stats(id, {}, first_of_july - days{1});
    world.set_stats(id, {}, pinned, first_of_july + days{2});
    pinned.app_use_count = 7;
    world.set_stats(id, {}, pinned, first_of_july + days{3});
    EXPECT_EQ(world.stats(id, {}, first_of_july - days{1}), before);
    EXPECT_EQ(world.stats(id, {}, first_of_july + days{2}), UsageStats{});
    EXPECT_EQ(world.stats(id, {}, first_of_july + days{3}), pinned);

    const BusinessId business_id{"1234567-8", "new", true, 50};
    organisation.multi_business_id = true;
    organisation.business_ids = {business_id};
    world.change(organisation, first_of_july + days{4});
    EXPECT_FALSE(world.stats(id, business_id.id, first_of_july + days{3}));
    EXPECT_TRUE(world.stats(id, business_id.id, first_of_july + days{4}));
    EXPECT_EQ(world.organisation(id, first_of_july + days{4}), organisation);
    organisation.business_ids.clear();
    world.change(organisation, first_of_july + days{5});
    EXPECT_FALSE(world.stats(id, business_id.id, first_of_july + days{5}));
}

void expect_consistent(const rapidjson::Value& group, int minimum) {
    if (!group["insufficient_data"].GetBool()) {
        EXPECT_GE(group["answer_count"].GetInt(), minimum);
        EXPECT_LE(group["answer_count"].GetInt(), group["participant_count"].GetInt());
        EXPECT_TRUE(group["insufficient_data_reason"].IsNull());
        double percent = 0;
        for (const auto& part : group["point_categories"].GetArray()) {
            percent += part.GetDouble();
        }
        EXPECT_NEAR(percent, 100, 0.001);
        rapidjson::SizeType number = 0;
        double sum = 0;
        for (const auto& question : group["breakdown"].GetObject()) {
            double points = 0;
            for (rapidjson::SizeType option = 0; option < 5; ++option) {
                points += (option + 1) * question.value[option].GetDouble() / 100;
            }
            EXPECT_NEAR(points, group["answer_percentages"][number].GetDouble(), 0.0002);
            sum += group["answer_percentages"][number++].GetDouble();
        }
        EXPECT_NEAR(group["average_points"].GetDouble(), sum / number, 0.0002);
        return;
    }
    for (const auto* name : {"average_points", "answer_percentages", "breakdown", "point_categories"}) {
        EXPECT_TRUE(group[name].IsNull());
    }
    EXPECT_EQ(std::string_view{group["insufficient_data_reason"].GetString()} == "too_few_results",
              group["answer_count"].GetInt() < minimum);
}

TEST(Documents, ShowFiguresThatFitTogetherOrNoneAtAll) {
    const World world{1, 100};
    std::set<std::string> reasons;
    for (const auto& organisation : world.organisations(first_of_july)) {
        const DateRange june{date::year{2026} / 6 / 1, date::year{2026} / 6 / 30};
        const auto text = energy_levels_document(world, organisation.id, {}, june, first_of_july);
        rapidjson::Document document;
        document.Parse(text.data(), text.size());
        ASSERT_EQ(document["instances"].Size(), 1U);
        const auto& instance = document["instances"][0];
        expect_consistent(instance["organisation"], 7);
        EXPECT_EQ(instance["teams"].MemberCount(), document["teams"].Size());
        for (const auto& team : instance["teams"].GetObject()) {
            expect_consistent(team.value, 7);
            if (team.value["insufficient_data"].GetBool()) {
                reasons.insert(team.value["insufficient_data_reason"].GetString());
            }
        }
    }
    EXPECT_THAT(reasons, testing::UnorderedElementsAre("too_few_results", "too_similar"));
}

TEST(Documents, OfEnergyLevelsAreOfTheDayTheyAreAskedForAndReportsOfTheirVersion) {
    const World world{1, 300};
    const DateRange june{date::year{2026} / 6 / 1, date::year{2026} / 6 / 30};
    const auto id = world.organisations(first_of_july).at(8).id;
    const auto energy_levels = [&](core::Instant at) { return energy_levels_document(world, id, {}, june, at); };
    EXPECT_EQ(energy_levels(first_of_july), energy_levels(first_of_july + 1h));
    EXPECT_NE(energy_levels(first_of_july), energy_levels(first_of_july + days{1}));

    bool regenerated = false;
    for (const auto& organisation : world.organisations(first_of_july)) {
        for (const auto& report : world.reports(organisation.id, first_of_july)) {
            if (report.generation == 1 && report.viewed) {
                const auto before = world.reports(organisation.id, report.generated_at - days{1});
                const auto older = std::ranges::find(before, report.id, &Report::id);
                if (older != before.end() && older->viewed) {
                    EXPECT_NE(report_document(world, *older), report_document(world, report));
                    EXPECT_EQ(report_document(world, report),
                              report_document(world, *world.report(report.data_instance_id, first_of_july + days{3})));
                    regenerated = true;
                }
            }
        }
    }
    EXPECT_TRUE(regenerated);
}

TEST(Documents, ReachBackThroughOlderRoundsAndBreakTeamsDownByTags) {
    const World world{1, 100};
    std::size_t most_instances = 0;
    std::size_t broken_down = 0;
    for (const auto& organisation : world.organisations(first_of_july)) {
        for (const auto& report : world.reports(organisation.id, first_of_july)) {
            const auto text = report_document(world, report);
            rapidjson::Document document;
            document.Parse(text.data(), text.size());
            EXPECT_EQ(document.HasMember("sub_report"), report.sub_report_business_id.has_value());
            std::string later = "9999";
            for (const auto& instance : document["instances"].GetArray()) {
                EXPECT_LT(std::string{instance["ends_on"].GetString()}, later);
                later = instance["ends_on"].GetString();
                for (const auto& team : instance["teams"].GetObject()) {
                    expect_consistent(team.value, 5);
                    broken_down += team.value.HasMember("tags") ? 1 : 0;
                }
            }
            most_instances = std::max<std::size_t>(most_instances, document["instances"].Size());
        }
    }
    EXPECT_EQ(most_instances, 3U);
    EXPECT_GT(broken_down, 0U);
}

}  // namespace
}  // namespace heiasync::simulator
