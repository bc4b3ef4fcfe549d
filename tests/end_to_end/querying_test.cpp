#include "installation.hpp"
#include "querying_page.hpp"
#include "rows.hpp"
#include "simulator/documents.hpp"
#include "survey_document.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
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

std::string text_or_null(const rapidjson::Value& value) {
    return value.IsNull() ? "NULL" : value.IsString() ? value.GetString() : canonical(value);
}

/// A number with four decimals, rounded to two, halves away from zero.
std::string rounded(double number) {
    const auto hundredths = (std::llround(std::abs(number) * 10'000) + 50) / 100;
    return fmt::format("{}{}.{:02}", number < 0 && hundredths > 0 ? "-" : "", hundredths / 100, hundredths % 100);
}

std::string rounded(const rapidjson::Value& value) {
    return value.IsNull() ? "NULL" : rounded(value.GetDouble());
}

/// Numbers as PostgreSQL writes an array of them.
std::string array_or_null(const rapidjson::Value& numbers) {
    if (numbers.IsNull()) {
        return "NULL";
    }
    std::string text;
    for (const auto& number : numbers.GetArray()) {
        text += (text.empty() ? "" : ",") + canonical(number);
    }
    return fmt::format("{{{}}}", text);
}

std::string in_swedish_or_else(const rapidjson::Value& texts) {
    for (const auto* language : {"sv", "en", "fi"}) {
        if (texts.HasMember(language)) {
            return texts[language].GetString();
        }
    }
    return "NULL";
}

/// A version of a report as it was sent.
struct Version {
    simulator::Report report;
    rapidjson::Document document;
};

std::string group_line(const rapidjson::Value& document, std::int64_t ordinal, const Group& group) {
    return fmt::format("{}|{}|{}|{}", ordinal, group.scope, text_or_null(name_of(document["teams"], group.team_id)),
                       text_or_null(name_of(document["tags"], group.tag_id)));
}

/// The results of every group of every round, by group_line().
std::map<std::string, const rapidjson::Value*> results(const rapidjson::Value& document) {
    std::map<std::string, const rapidjson::Value*> results;
    std::int64_t ordinal = 0;
    for (const auto& instance : document["instances"].GetArray()) {
        for_each_group(instance, [&](const Group& group, const rapidjson::Value& result) {
            if (!results.emplace(group_line(document, ordinal, group), &result).second) {
                throw std::invalid_argument{"two groups have the same name"};
            }
        });
        ++ordinal;
    }
    return results;
}

/// Every number in the results of every group, by `group_line()|question|figure`.
std::map<std::string, std::string> figures(const rapidjson::Value& document) {
    std::map<std::string, std::string> figures;
    for (const auto& [group, result] : results(document)) {
        const auto add = [&, &group = group](std::int64_t question, const std::string& name,
                                             const rapidjson::Value& figure) {
            if (!figure.IsNull()) {
                figures.emplace(fmt::format("{}|{}|{}", group, question, name), canonical(figure));
            }
        };
        const auto add_each = [&](std::int64_t question, const std::string& name, const rapidjson::Value& list) {
            for (rapidjson::SizeType place = 0; list.IsArray() && place < list.Size(); ++place) {
                add(question, fmt::format("{}[{}]", name, place + 1), list[place]);
            }
        };
        for (const auto* name : {"participant_count", "answer_count", "average_points"}) {
            add(0, name, member(*result, name));
        }
        add_each(0, "point_categories", member(*result, "point_categories"));
        const auto& averages = member(*result, "answer_percentages");
        const auto& breakdown = member(*result, "breakdown");
        for (rapidjson::SizeType number = 0; averages.IsArray() && number < averages.Size(); ++number) {
            add(document["questions"][number]["id"].GetInt64(), "average_points", averages[number]);
        }
        for (rapidjson::SizeType number = 0; breakdown.IsObject() && number < document["questions"].Size(); ++number) {
            const auto question = document["questions"][number]["id"].GetInt64();
            add_each(question, "option_breakdown", member(breakdown, std::to_string(question).c_str()));
        }
    }
    return figures;
}

/// A June with something for every question: an organisation that is new, one that is gone, one that has another name,
/// a field that the API has added, another that it sends only later, and a second run on the last day, which finds one
/// member more and has the listing of reports that the first could not have. All tests only read.
class Querying : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        june_ = std::make_unique<June>();
        auto& world = installation().api().world();
        const auto changed = simulator::vendor_midnight(core::parse_date(in_between));
        june_->gone = installation().truth_on(first_day).organisations().at(0);
        june_->renamed = installation().truth_on(first_day).organisations().at(1);
        june_->added.id = 9001;
        june_->added.name = "Vastatullut Oy";
        world.hide(june_->gone.id, changed);
        world.rename(june_->renamed.id, new_name, changed);
        world.add(june_->added, changed);

        const auto curious = installation().truth_on(first_day).organisations().back().id;
        const simulator::UsageStats stats{50, 40, 30, 20, 10};
        world.set_stats(curious, {}, stats);
        auto answer = simulator::stats_document(stats, simulator::StatsShape::bare);
        answer.insert(1, R"("coffee_count": 3, )");
        installation().api().answer_with(simulator::Operation::stats, curious, {}, answer);

        ASSERT_EQ(installation().sync_on(first_day).exit_code, exit_code::incomplete) << "some counts are unknown";
        note(first_day, "08:00");
        ASSERT_EQ(installation()
                      .sync_on(day_before, {"--stream", "usage-stats", "--organisation", std::to_string(example)})
                      .exit_code,
                  exit_code::done);
        note_figures(day_before, example);
        june_->known_at.emplace_back(fmt::format("{} 08:00", day_before), june_->figures);
        auto levels = simulator::energy_levels_document(world, curious, {},
                                                        {core::parse_date(first_day), core::parse_date(day_before)},
                                                        instant_after_slot(latest_day));
        levels.insert(1, R"("mood": "good", )");
        installation().api().answer_with(simulator::Operation::energy_levels, curious, "", levels);
        simulator::Fault fault;
        fault.operation = simulator::Operation::reports;
        fault.organisation = example;
        installation().api().fail(fault);
        ASSERT_EQ(installation().sync_on(latest_day).exit_code, exit_code::incomplete);
        installation().api().clear_faults();
        note(latest_day, "08:00");

        auto grown = world.stats(example, {}, instant_after_slot(latest_day)).value();
        ++grown.total_membership_count.value();
        world.set_stats(example, {}, grown);
        ASSERT_EQ(installation()
                      .run({"sync", "--simulated-time", fmt::format("{}T18:00:00+03:00", latest_day), "--stream",
                            "usage-stats", "--stream", "reports"})
                      .exit_code,
                  exit_code::done);
        note(latest_day, "20:00");
    }
    static void TearDownTestSuite() { june_.reset(); }

    static Installation& installation() { return june_->installation; }
    static const QueryingPage& page() { return june_->page; }
    static const simulator::Organisation& gone() { return june_->gone; }
    static const simulator::Organisation& renamed() { return june_->renamed; }
    static const simulator::Organisation& added() { return june_->added; }

    /// What was known of each organisation at a local time: `ID|observed_on|total_membership_count|app_use_count`.
    static const std::vector<std::pair<std::string, std::map<std::int64_t, std::string>>>& known_at() {
        return june_->known_at;
    }

    static std::string query(std::string_view question) { return page().query(question); }
    /// Some columns of its answer.
    static std::set<std::string> answer(std::string_view columns, std::string_view question) {
        return installation().lines(fmt::format("SELECT {} FROM ({}) AS answer", columns, query(question)));
    }

    /// The query asked about another organisation than the page's.
    static std::string query_about(std::int64_t organisation, std::string_view question) {
        return replaced(query(question), std::to_string(example), std::to_string(organisation));
    }
    static std::string replaced(std::string text, std::string_view old, std::string_view by) {
        EXPECT_NE(text.find(old), std::string::npos) << old;
        for (auto at = text.find(old); at != std::string::npos; at = text.find(old, at + by.size())) {
            text.replace(at, old.size(), by);
        }
        return text;
    }

    /// The energy levels of June of every organisation that could be asked for them, with its name.
    static std::vector<std::pair<simulator::Organisation, rapidjson::Document>> energy_levels_of_june() {
        std::vector<std::pair<simulator::Organisation, rapidjson::Document>> documents;
        const auto truth = installation().truth_on(latest_day);
        const auto asked = truth.at_least(5);
        for (const auto& organisation : truth.organisations()) {
            if (asked.contains(subject(organisation.id))) {
                documents.emplace_back(organisation, parse(simulator::energy_levels_document(
                                                         installation().api().world(), organisation.id, {},
                                                         {core::parse_date(first_day), core::parse_date(day_before)},
                                                         instant_after_slot(latest_day))));
            }
        }
        return documents;
    }

    /// By report and time.
    static const std::map<std::pair<std::int64_t, core::Instant>, Version>& versions() { return june_->versions; }
    /// The last version of each report that the API ever showed.
    static std::vector<const Version*> latest_versions() {
        std::map<std::int64_t, const Version*> latest;
        for (const auto& [key, version] : versions()) {
            latest[key.first] = &version;
        }
        std::vector<const Version*> versions;
        for (const auto& [report, version] : latest) {
            versions.push_back(version);
        }
        return versions;
    }

    static constexpr auto new_name = "Uusi nimi Oy";

private:
    struct June {
        simulator::Organisation gone;
        simulator::Organisation renamed;
        simulator::Organisation added;
        std::map<std::int64_t, std::string> figures;
        std::vector<std::pair<std::string, std::map<std::int64_t, std::string>>> known_at;
        std::map<std::pair<std::int64_t, core::Instant>, Version> versions;
        Installation installation;
        QueryingPage page = read_querying_page();
    };

    static void note_figures(const std::string& day, std::int64_t organisation) {
        const auto stats = installation().api().world().stats(organisation, {}, instant_after_slot(day)).value();
        june_->figures[organisation] =
            fmt::format("{}|{}|{}|{}", organisation, day, text_or_null(stats.total_membership_count),
                        text_or_null(stats.app_use_count));
    }
    /// What a sync over everything has found out by a time of the day.
    static void note(const std::string& day, std::string_view by) {
        const auto& world = installation().api().world();
        for (const auto& organisation : installation().truth_on(day).organisations()) {
            note_figures(day, organisation.id);
        }
        june_->known_at.emplace_back(fmt::format("{} {}", day, by), june_->figures);
        const bool has_listing_of_example = by != "08:00" || day != latest_day;
        for (const auto& report : installation().truth_on(day).viewed_reports()) {
            if (report.organisation_id != example || has_listing_of_example) {
                june_->versions.try_emplace({report.id, report.generated_at},
                                            Version{report, parse(simulator::report_document(world, report))});
            }
        }
    }

    inline static std::unique_ptr<June> june_;
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
    const auto first = untouched.stats(example, {}, instant_after_slot(first_day)).value();
    const auto before = untouched.stats(example, {}, instant_after_slot(day_before)).value();
    const auto after = world.stats(example, {}, instant_after_slot(latest_day)).value();
    EXPECT_EQ(difference({fmt::format("{}|{}|{}", day_before, before.total_membership_count.value(),
                                      before.app_use_count.value() - first.app_use_count.value()),
                          fmt::format("{}|{}|{}", latest_day, after.total_membership_count.value(),
                                      after.app_use_count.value() - before.app_use_count.value())},
                         answer("observed_on, total_membership_count, uses", "How did one organisation's members")),
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
    std::set<std::string> changes;
    const auto asked_before = installation().truth_on(first_day).at_least(5);
    for (const auto& organisation : installation().truth_on(latest_day).organisations()) {
        if (!installation().truth_on(latest_day).at_least(5).contains(subject(organisation.id))) {
            continue;
        }
        const auto june = level_of(organisation.id, "2026-06-01", "2026-06-30", latest_day);
        latest.insert(fmt::format("{}|2026-06-01|2026-06-30|{}|{}|{}", organisation.name,
                                  june.points ? rounded(*june.points) : "NULL", june.counts,
                                  june.points ? "NULL" : june.reason));
        if (asked_before.contains(subject(organisation.id))) {
            const auto may = level_of(organisation.id, "2026-05-01", "2026-05-31", first_day);
            if (may.points && june.points) {
                changes.insert(fmt::format("{}|2026-05-01|2026-06-01|{}|{}|{}", organisation.name, rounded(*may.points),
                                           rounded(*june.points), rounded(*june.points - *may.points)));
            }
        }
    }
    EXPECT_EQ(difference(latest, answer("*", "How do people feel")), "");
    EXPECT_FALSE(changes.empty());
    EXPECT_EQ(difference(changes, answer("*", "What changed from one period")), "");
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
    EXPECT_EQ(difference({fmt::format("{}|gone|{}|{}", gone().id, gone().name, gone().name),
                          fmt::format("{}|renamed|{}|{}", renamed().id, renamed().name, new_name),
                          fmt::format("{}|new|NULL|{}", added().id, added().name)},
                         answer("organisation_id, change, old_name, name", "Which organisations are new")),
              "");
}

TEST_F(Querying, TheLatestVersionOfAReportSaysWhatItsDocumentSays) {
    std::map<std::int64_t, std::string> names;
    for (const auto* day : {first_day, latest_day}) {
        for (const auto& organisation : installation().truth_on(day).organisations()) {
            names[organisation.id] = organisation.name;
        }
    }
    std::set<std::string> expected;
    for (const auto* version : latest_versions()) {
        std::int64_t ordinal = 0;
        for (const auto& instance : version->document["instances"].GetArray()) {
            const auto& report = version->report;
            const auto& result = instance["organisation"];
            expected.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", names.at(report.organisation_id), report.id,
                                        version->document["title"].GetString(),
                                        report.sub_report_business_id.value_or(""), as_stored(report.generated_at),
                                        ordinal++, instance["ends_on"].GetString(), canonical(result["answer_count"]),
                                        canonical(result["participant_count"]), rounded(result["average_points"])));
        }
    }
    EXPECT_EQ(difference(expected, answer("*", "What does the latest version")), "");
}

TEST_F(Querying, WhatChangedIsTheDifferenceOfTheTwoDocuments) {
    std::set<std::string> groups;
    std::set<std::string> changes;
    std::set<std::string> kinds;
    const Version* older = nullptr;
    for (const auto& [key, newer] : versions()) {
        if (older != nullptr && older->report.id == newer.report.id) {
            const auto line = fmt::format("{}|{}|{}", newer.report.organisation_id, newer.report.id,
                                          as_stored(newer.report.generated_at));
            const auto before = results(older->document);
            for (const auto& [group, result] : results(newer.document)) {
                if (const auto same = before.find(group); same != before.end()) {
                    const auto summary = [](const rapidjson::Value& one, const char* name) {
                        return text_or_null(member(one, name));
                    };
                    const auto answers_before = summary(*same->second, "answer_count");
                    const auto answers = summary(*result, "answer_count");
                    const auto points_before = summary(*same->second, "average_points");
                    const auto points = summary(*result, "average_points");
                    if (answers_before != answers || points_before != points) {
                        groups.insert(fmt::format("{}|{}|{}|{}|{}|{}", line, group, answers_before, answers,
                                                  points_before, points));
                    }
                }
            }
            auto old_figures = figures(older->document);
            for (const auto& [figure, value] : figures(newer.document)) {
                const auto old = old_figures.extract(figure);
                if (old.empty() || old.mapped() != value) {
                    changes.insert(
                        fmt::format("{}|{}|{}|{}", line, figure, old.empty() ? "NULL" : old.mapped(), value));
                    kinds.insert(old.empty() ? "came" : "changed");
                    kinds.insert(figure.substr(figure.rfind('|') + 1));
                }
            }
            for (const auto& [figure, value] : old_figures) {
                changes.insert(fmt::format("{}|{}|{}|NULL", line, figure, value));
                kinds.insert("went");
            }
        }
        older = &newer;
    }
    for (const auto* kind :
         {"came", "changed", "went", "answer_count", "average_points", "point_categories[8]", "option_breakdown[5]"}) {
        EXPECT_TRUE(kinds.contains(kind)) << "the world is to have: " << kind;
    }
    EXPECT_EQ(difference(groups, answer("*", "What changed when a report")), "");
    EXPECT_EQ(difference(changes, installation().lines(fmt::format(
                                      "SELECT changes.organisation_id, changes.report_id, generated_at, ordinal, "
                                      "scope, team_name, tag_name, question_id, figure, old_value, new_value "
                                      "FROM ({}) AS changes JOIN heiasync.reports ON report_version_id = "
                                      "newer_report_version_id",
                                      query("Which figures changed")))),
              "");
}

TEST_F(Querying, AnswersAndTeamsAreThoseOfTheDocuments) {
    std::set<std::string> teams;
    std::set<std::string> reasons;
    for (const auto& [organisation, document] : energy_levels_of_june()) {
        const auto& instance = document["instances"][0];
        const auto& result = instance["organisation"];
        std::set<std::string> questions;
        rapidjson::SizeType number = 0;
        for (const auto& question : document["questions"].GetArray()) {
            const auto& averages = result["answer_percentages"];
            const auto& breakdown = result["breakdown"];
            const auto id = std::to_string(question["id"].GetInt64());
            questions.insert(fmt::format(
                "{}|{}|{}|{}|{}", canonical(question["position"]), in_swedish_or_else(question["title"]),
                in_swedish_or_else(question["category"]), averages.IsNull() ? "NULL" : rounded(averages[number]),
                breakdown.IsNull() ? "NULL" : array_or_null(breakdown[id.c_str()])));
            ++number;
        }
        EXPECT_EQ(difference(questions, installation().lines(query_about(
                                            organisation.id, "How did one organisation answer each question"))),
                  "")
            << organisation.id;

        for_each_group(instance, [&, &organisation = organisation, &document = document](const Group& group,
                                                                                         const rapidjson::Value& team) {
            if (group.scope == "team" && team["insufficient_data"].IsTrue()) {
                reasons.insert(team["insufficient_data_reason"].GetString());
                teams.insert(fmt::format("{}|{}|{}|{}|{}|{}", organisation.name, group.team_id,
                                         text_or_null(name_of(document["teams"], group.team_id)),
                                         team["insufficient_data_reason"].GetString(), canonical(team["answer_count"]),
                                         canonical(instance["minimum_answer_count"])));
            }
        });
    }
    EXPECT_EQ(reasons, (std::set<std::string>{"too_few_results", "too_similar"}));
    EXPECT_EQ(difference(teams, answer("*", "Which teams have no values")), "");
}

TEST_F(Querying, WhatPeopleWroteIsWhatTheLatestVersionsHave) {
    std::map<std::int64_t, std::set<std::string>> written;
    for (const auto* version : latest_versions()) {
        auto& texts = written[version->report.organisation_id];
        if (version->report.sub_report_business_id) {
            continue;
        }
        const auto& instance = version->document["instances"][0];
        for (const auto& question : instance["open_questions"].GetArray()) {
            texts.insert(fmt::format("{}|{}|{}|{}", version->report.id, canonical(version->document["title"]),
                                     instance["ends_on"].GetString(), canonical(question)));
        }
    }
    EXPECT_FALSE(written.at(example).empty());
    for (const auto& [organisation, expected] : written) {
        std::set<std::string> texts;
        const auto rows = installation().json(query_about(organisation, "What did people write"));
        for (const auto& row : rows.GetArray()) {
            texts.insert(fmt::format("{}|{}|{}|{}", canonical(row["report_id"]), canonical(row["title"]),
                                     row["ends_on"].GetString(), canonical(row["question"])));
        }
        EXPECT_EQ(difference(expected, texts), "") << organisation;
    }
}

TEST_F(Querying, WhatIsMissingOfAnOrganisationIsAllThatWasNotAskedOrNotAnswered) {
    const auto unknown_at_first = installation().truth_on(first_day).unknown_count();
    const auto unknown_at_last = installation().truth_on(latest_day).unknown_count();
    const auto still_listed = installation().truth_on(latest_day).organisation_ids();
    ASSERT_FALSE(unknown_at_first.empty());
    for (const auto& organisation : installation().truth_on(first_day).organisations()) {
        std::set<std::string> expected;
        std::vector<std::string> business_ids{""};
        for (const auto& business_id : organisation.business_ids) {
            business_ids.push_back(business_id.id);
        }
        const bool is_gone = !still_listed.contains(std::to_string(organisation.id));
        for (auto date = date::sys_days{core::parse_date(first_day)} + date::days{1};
             date < date::sys_days{core::parse_date(latest_day)}; date += date::days{1}) {
            const auto day = core::format_date(date);
            // A run with limits lists all organisations, and so finds out who has gone.
            const bool is_listed = day == day_before;
            if (!is_listed) {
                expected.insert(fmt::format("{}|organisations||NULL|NULL|final|no_run|NULL", day));
            }
            if (is_listed && is_gone) {
                continue;
            }
            expected.insert(fmt::format("{}|reports||NULL|NULL|final|no_run|NULL", day));
            for (const auto& business_id : business_ids) {
                if (!is_listed || organisation.id != example) {
                    expected.insert(fmt::format("{}|usage_stats|{}|NULL|NULL|final|no_run|NULL", day, business_id));
                }
            }
        }
        for (const auto& business_id : business_ids) {
            if (unknown_at_first.contains(subject(organisation.id, business_id))) {
                expected.insert(
                    fmt::format("{}|energy_levels|{}|2026-05-01|NULL|final|gate_unknown|told", first_day, business_id));
            }
            if (!is_gone && unknown_at_last.contains(subject(organisation.id, business_id))) {
                expected.insert(
                    fmt::format("{}|energy_levels|{}|2026-06-01|NULL|open|gate_unknown|told", latest_day, business_id));
            }
        }
        EXPECT_EQ(
            difference(expected, installation().lines(fmt::format(
                                     "SELECT expected_on, stream, business_id, period_start, report_id, state, reason, "
                                     "CASE WHEN last_error IS NOT NULL THEN 'told' END FROM ({}) AS answer",
                                     query_about(organisation.id, "Which days are missing")))),
            "")
            << organisation.id;
    }
}

TEST_F(Querying, WhatWasKnownIsWhatHadBeenAnsweredByThen) {
    ASSERT_EQ(known_at().size(), 4U);
    for (const auto& [time, figures] : known_at()) {
        const auto week_later =
            date::format("%F", date::sys_days{core::parse_date(time.substr(0, time.find(' ')))} + date::days{7});
        const auto then = fmt::format("'{}{} Europe/Helsinki'::timestamptz", week_later, time.substr(time.find(' ')));
        std::set<std::string> expected;
        for (const auto& [organisation, line] : figures) {
            expected.insert(line);
        }
        EXPECT_EQ(difference(expected, installation().lines(
                                           fmt::format("SELECT organisation_id, observed_on, total_membership_count, "
                                                       "app_use_count FROM ({}) AS answer",
                                                       replaced(query("What did we know"), "now()", then)))),
                  "")
            << time;
    }
}

TEST_F(Querying, FieldsThatWereAddedAreToldWithTheirTimes) {
    // The run of that evening was sent neither.
    EXPECT_EQ(
        difference({fmt::format("{} 04|{} 04|usage_stats|/coffee_count|unknown_field|number", first_day, latest_day),
                    fmt::format("{0} 04|{0} 04|energy_levels|/mood|unknown_field|string", latest_day)},
                   answer("to_char(first_seen_at AT TIME ZONE 'Europe/Helsinki', 'YYYY-MM-DD HH24'), "
                          "to_char(last_seen_at AT TIME ZONE 'Europe/Helsinki', 'YYYY-MM-DD HH24'), stream, "
                          "json_pointer, kind, sample_type",
                          "Which fields has the API added")),
        "");
}

}  // namespace

}  // namespace heiasync::testing
