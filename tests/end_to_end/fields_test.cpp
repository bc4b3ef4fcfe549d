#include "installation.hpp"
#include "originals.hpp"
#include "rows.hpp"
#include "simulator/documents.hpp"
#include "survey_document.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <string>
#include <vector>

/// From the bytes that the API sent to the rows: the documents are walked here once more, as trees and by other means
/// than the program's, and what comes out is compared with every column that consumers rely on.

namespace heiasync::testing {

namespace {

using rapidjson::Value;

constexpr auto day = "2026-07-01";

/// A group's rows, with the columns of a parent before them.
class ResultRows {
public:
    ResultRows(const Value& document, Row parent, bool has_tags)
        : document_{document}, parent_{std::move(parent)}, has_tags_{has_tags} {}

    void add(const Group& group, const Value& result) {
        auto row = keys(group);
        for (const auto* column :
             {"participant_count", "answer_count", "average_points", "insufficient_data_reason", "point_categories"}) {
            row[column] = canonical(member(result, column));
        }
        const auto& insufficient = member(result, "insufficient_data");
        row["insufficient_data"] = canonical(insufficient.IsTrue());
        results.push_back(row);
        reasons.push_back(row["insufficient_data_reason"]);

        const auto& averages = member(result, "answer_percentages");
        rapidjson::SizeType number = 0;
        for (const auto& question : document_["questions"].GetArray()) {
            const auto id = question["id"].GetInt64();
            auto answer = keys(group);
            answer["question_id"] = canonical(id);
            answer["position"] = canonical(question["position"]);
            answer["question_title"] = canonical(question["title"]);
            answer["category"] = canonical(question["category"]);
            answer["options"] = canonical(question["options"]);
            answer["average_points"] = averages.IsNull() ? "null" : canonical(averages[number]);
            const auto& breakdown = member(result, "breakdown");
            answer["option_breakdown"] =
                breakdown.IsNull() ? "null" : canonical(member(breakdown, std::to_string(id).c_str()));
            questions.push_back(answer);
            ++number;
        }
    }

    void add_instance(const Value& instance) {
        for_each_group(instance, [this](const Group& group, const Value& result) { add(group, result); });
    }

    void in_round(std::int64_t ordinal) { parent_["ordinal"] = canonical(ordinal); }

    std::vector<Row> results;
    std::vector<Row> questions;
    std::vector<std::string> reasons;

private:
    [[nodiscard]] Row keys(const Group& group) const {
        auto row = parent_;
        row["scope"] = canonical(group.scope);
        row["team_id"] = group.team_id;
        row["team_name"] = canonical(name_of(document_["teams"], group.team_id));
        if (has_tags_) {
            row["tag_id"] = group.tag_id;
            row["tag_name"] = canonical(name_of(document_["tags"], group.tag_id));
        }
        return row;
    }

    const Value& document_;
    Row parent_;
    bool has_tags_;
};

TEST(Fields, EveryFieldOfTheListing) {
    Installation installation;
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    const auto listed = installation.truth_on("2026-06-15").organisations();
    const auto listing = parse(simulator::organisations_document(listed, std::nullopt));
    std::vector<Row> expected;
    for (const auto& item : listing["items"].GetArray()) {
        Row row;
        row["organisation_id"] = canonical(item["id"]);
        row["name"] = canonical(item["name"]);
        row["size_class"] = canonical(item["size_class"]);
        row["multi_business_id"] = canonical(item["multi_business_id"]);
        row["business_ids"] = item.HasMember("multi_business_ids") ? canonical(item["multi_business_ids"]) : "[]";
        row["su_access"] = canonical(member(item, "su_access"));
        expected.push_back(row);
    }
    for (const auto* relation : {"organisations", "organisation_history"}) {
        const auto stored = installation.json(
            fmt::format("SELECT organisation_id, name, size_class, multi_business_id, business_ids, su_access FROM "
                        "heiasync.{}",
                        relation));
        EXPECT_EQ(difference(expected, stored, {"organisation_id"}), "") << relation;
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations WHERE first_seen_at <> last_seen_at OR "
                                 "removed_at IS NOT NULL OR first_seen_at NOT BETWEEN '2026-06-15 04:35:00+03' AND "
                                 "'2026-06-15 04:40:00+03'"),
              0);
}

TEST(Fields, EveryFieldOfTheStatistics) {
    Installation installation;
    ASSERT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    std::vector<Row> expected;
    for (const auto& line : installation.truth_on("2026-06-15").mapped_subjects()) {
        const auto id = std::stoll(line);
        const auto business_id = line.substr(line.find('|') + 1);
        const auto stats = installation.api().world().stats(id, business_id, instant_after_slot("2026-06-15"));
        const auto answer = parse(simulator::stats_document(stats.value(), simulator::StatsShape::wrapped));
        auto row = row_of(answer["usage"]);
        row["organisation_id"] = canonical(id);
        row["business_id"] = canonical(business_id);
        row["observed_on"] = canonical("2026-06-15");
        row["extra"] = "{}";
        expected.push_back(row);
    }
    const auto stored = installation.json(
        "SELECT organisation_id, business_id, observed_on, total_membership_count, hh_core_total_membership_count, "
        "hh_core_accepted_membership_count, app_use_count, app_monthly_use_count, extra FROM heiasync.usage_stats");
    EXPECT_EQ(difference(expected, stored, {"organisation_id", "business_id"}), "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.usage_stats WHERE observed_at NOT BETWEEN '2026-06-15 "
                                 "04:35:00+03' AND '2026-06-15 04:40:00+03'"),
              0);
}

TEST(Fields, WhatTheStatisticsHaveBeyondTheDescriptionIsKeptAndReported) {
    Installation installation;
    const auto id = installation.truth_on("2026-06-15").organisations().front().id;
    installation.api().answer_with(simulator::Operation::stats, id, {},
                                   R"({"usage": {"total_membership_count": "26", "hh_core_total_membership_count": 7,
                                       "hh_core_accepted_membership_count": null, "app_use_count": 9007199254740993,
                                       "app_monthly_use_count": 0, "coffee_count": {"a": [1, "ä"]}}})");
    const auto outcome = installation.sync_on("2026-06-15", {"--organisation", std::to_string(id)});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(difference({"26|7|NULL|9007199254740993|0"},
                         installation.lines("SELECT total_membership_count, hh_core_total_membership_count, "
                                            "hh_core_accepted_membership_count, app_use_count, app_monthly_use_count "
                                            "FROM heiasync.usage_stats WHERE business_id = ''")),
              "");
    EXPECT_EQ(
        installation.value(
            R"(SELECT jsonb_path_query(extra, '$.**.coffee_count') = '{"a": [1, "ä"]}' FROM heiasync.usage_stats WHERE business_id = '')"),
        "t");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.schema_drift WHERE stream = 'usage_stats' AND "
                                 "json_pointer LIKE '%/coffee_count' AND kind = 'unknown_field' AND sample_type = "
                                 "'object'"),
              1);
}

TEST(Fields, EveryFieldOfEnergyLevels) {
    Installation installation;
    installation.make_every_count_known(day);
    ASSERT_EQ(installation.sync_on(day).exit_code, exit_code::done);
    const auto at = instant_after_slot(day);
    const simulator::DateRange june{core::parse_date("2026-06-01"), core::parse_date("2026-06-30")};

    std::set<std::string> reasons;
    for (const auto& line : installation.truth_on(day).at_least(5)) {
        const auto id = std::stoll(line);
        const auto business_id = line.substr(line.find('|') + 1);
        const auto where = fmt::format("organisation_id = {} AND business_id = '{}'", id, business_id);
        const auto sent = simulator::energy_levels_document(installation.api().world(), id, business_id, june, at);
        const auto document = parse(sent);

        Row parent;
        parent["organisation_id"] = canonical(id);
        parent["business_id"] = canonical(business_id);
        parent["period_start"] = canonical("2026-06-01");
        parent["period_end"] = canonical("2026-06-30");
        auto snapshot = parent;
        snapshot["days_late"] = "0";
        snapshot["minimum_answer_count"] = canonical(document["instances"][0]["minimum_answer_count"]);
        snapshot["document"] = canonical(document);
        snapshot["document_status"] = canonical("stored");
        EXPECT_EQ(difference({snapshot},
                             installation.json("SELECT organisation_id, business_id, period_start, period_end, "
                                               "days_late, minimum_answer_count, document, document_status FROM "
                                               "heiasync.energy_levels WHERE " +
                                               where),
                             {"organisation_id", "business_id"}),
                  "");

        ResultRows rows{document, parent, false};
        rows.add_instance(document["instances"][0]);
        reasons.insert(rows.reasons.begin(), rows.reasons.end());
        EXPECT_EQ(
            difference(rows.results,
                       installation.json(
                           "SELECT organisation_id, business_id, period_start, period_end, scope, team_id, "
                           "team_name, participant_count, answer_count, average_points, insufficient_data, "
                           "insufficient_data_reason, point_categories FROM heiasync.energy_level_results WHERE " +
                           where),
                       {"scope", "team_id"}),
            "")
            << where;
        EXPECT_EQ(difference(rows.questions,
                             installation.json("SELECT organisation_id, business_id, period_start, period_end, scope, "
                                               "team_id, team_name, question_id, position, question_title, category, "
                                               "options, average_points, option_breakdown FROM "
                                               "heiasync.energy_level_question_results WHERE " +
                                               where),
                             {"scope", "team_id", "question_id"}),
                  "")
            << where;
        expect_original(installation, "energy_level_originals",
                        fmt::format("(organisation_id, energy_level_id) IN (SELECT organisation_id, energy_level_id "
                                    "FROM heiasync.energy_levels WHERE {})",
                                    where),
                        sent);
    }
    EXPECT_EQ(reasons, (std::set<std::string>{"null", R"("too_few_results")", R"("too_similar")"}))
        << "the world is to have groups of every kind";
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels WHERE fetched_at NOT BETWEEN '2026-07-01 "
                                 "04:35:00+03' AND '2026-07-01 04:40:00+03'"),
              0);
}

Row report_row(const Value& listed, const Value& document, std::int64_t organisation_id) {
    const auto& survey = listed["scheduled_survey"];
    const auto& business_id = member(listed, "sub_report_business_id");
    Row row;
    row["report_id"] = canonical(listed["id"]);
    row["organisation_id"] = canonical(organisation_id);
    row["business_id"] = business_id.IsNull() ? canonical("") : canonical(business_id);
    row["sub_report"] = canonical(listed["sub_report"]);
    row["title"] = canonical(document["title"]);
    row["business_description"] = canonical(member(document, "report_business_desc"));
    row["generated_at"] = canonical_time(listed["generated_at"]);
    row["document_generated_at"] = canonical_time(document["instances"][0]["generated_at"]);
    row["first_viewed_at"] = canonical_time(listed["first_viewed_at"]);
    row["scheduled_survey_id"] = canonical(survey["id"]);
    row["scheduled_survey_title"] = canonical(survey["title"]);
    row["survey_id"] = canonical(survey["survey"]["id"]);
    row["survey_title"] = canonical(survey["survey"]["title"]);
    row["started_at"] = canonical_time(survey["started_at"]);
    row["ends_on"] = canonical(survey["ends_on"]);
    row["closed"] = canonical(survey["closed"]);
    row["enabled_questions"] = canonical(survey["enabled_questions"]);
    row["copy_questions"] = canonical(survey["copy_questions"]);
    row["is_latest_version"] = "true";
    auto visible = row_of(document);
    visible.erase("id");
    std::string text;
    for (const auto& [name, value] : visible) {
        text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name, value);
    }
    row["document"] = "{" + text + "}";
    row["document_status"] = canonical("stored");
    return row;
}

Row instance_row(const Value& instance, std::int64_t ordinal) {
    Row row;
    row["ordinal"] = canonical(ordinal);
    row["generated_at"] = canonical_time(instance["generated_at"]);
    row["start_time"] = canonical_time(instance["start_time"]);
    row["ends_on"] = canonical(instance["ends_on"]);
    row["minimum_answer_count"] = canonical(instance["minimum_answer_count"]);
    row["point_minimum"] = canonical(instance["point_categories"]["minimum"]);
    row["point_maximum"] = canonical(instance["point_categories"]["maximum"]);
    row["point_step"] = canonical(instance["point_categories"]["step"]);
    row["open_questions"] = canonical(instance["open_questions"]);
    row["similarities"] = canonical(instance["similarities"]);
    return row;
}

TEST(Fields, EveryFieldOfReports) {
    Installation installation;
    const auto truth = installation.truth_on(day);
    std::vector<std::int64_t> chosen;
    for (const auto& organisation : truth.organisations()) {
        if (chosen.size() < 2 && truth.viewed_reports(organisation.id).size() >= 3 &&
            organisation.multi_business_id == chosen.empty()) {
            chosen.push_back(organisation.id);
        }
    }
    ASSERT_EQ(chosen.size(), 2U);
    ASSERT_EQ(installation
                  .sync_on(day, {"--stream", "reports", "--organisation", std::to_string(chosen[0]), "--organisation",
                                 std::to_string(chosen[1])})
                  .exit_code,
              exit_code::done);

    std::set<std::string> kinds;
    for (const auto organisation_id : chosen) {
        for (const auto& report : truth.viewed_reports(organisation_id)) {
            const auto listing = parse(simulator::reports_document({&report, 1}, std::nullopt));
            const auto& listed = listing["items"][0];
            const auto sent = simulator::report_document(installation.api().world(), report);
            const auto document = parse(sent);
            const auto where = fmt::format(
                "(organisation_id, report_version_id) IN (SELECT organisation_id, "
                "report_version_id FROM heiasync.reports WHERE report_id = {})",
                report.id);

            EXPECT_EQ(difference({report_row(listed, document, organisation_id)},
                                 installation.json(
                                     "SELECT report_id, organisation_id, business_id, sub_report, title, "
                                     "business_description, generated_at, document_generated_at, first_viewed_at, "
                                     "scheduled_survey_id, scheduled_survey_title, survey_id, survey_title, "
                                     "started_at, ends_on, closed, enabled_questions, copy_questions, "
                                     "is_latest_version, document, document_status FROM heiasync.reports WHERE " +
                                     where),
                                 {"report_id"}),
                      "");
            EXPECT_EQ(installation.value("SELECT data_instance_id FROM heiasync.report_sources WHERE " + where),
                      report.data_instance_id);

            std::vector<Row> instances;
            Row parent;
            parent["report_id"] = canonical(report.id);
            parent["organisation_id"] = canonical(organisation_id);
            ResultRows rows{document, parent, true};
            std::int64_t ordinal = 0;
            for (const auto& instance : document["instances"].GetArray()) {
                instances.push_back(instance_row(instance, ordinal));
                rows.in_round(ordinal);
                rows.add_instance(instance);
                kinds.insert(ordinal == 0 ? "latest round" : "older round");
                kinds.insert(instance["open_questions"].Empty() ? "no open question" : "open questions");
                kinds.insert(instance["similarities"].Empty() ? "no similarity" : "similarities");
                ++ordinal;
            }
            for (const auto& row : rows.results) {
                kinds.insert(row.at("scope"));
                kinds.insert(row.at("insufficient_data_reason"));
            }
            kinds.insert(report.sub_report_business_id ? "sub report" : "whole organisation");
            EXPECT_EQ(difference(instances,
                                 installation.json("SELECT ordinal, generated_at, start_time, ends_on, "
                                                   "minimum_answer_count, point_minimum, point_maximum, point_step, "
                                                   "open_questions, similarities FROM heiasync.report_instances "
                                                   "WHERE " +
                                                   where),
                                 {"ordinal"}),
                      "")
                << "report " << report.id;
            EXPECT_EQ(difference(rows.results,
                                 installation.json(
                                     "SELECT report_id, organisation_id, ordinal, scope, team_id, team_name, tag_id, "
                                     "tag_name, participant_count, answer_count, average_points, insufficient_data, "
                                     "insufficient_data_reason, point_categories FROM heiasync.report_results WHERE " +
                                     where),
                                 {"ordinal", "scope", "team_id", "tag_id"}),
                      "")
                << "report " << report.id;
            EXPECT_EQ(difference(rows.questions,
                                 installation.json(
                                     "SELECT report_id, organisation_id, ordinal, scope, team_id, team_name, tag_id, "
                                     "tag_name, question_id, position, question_title, category, options, "
                                     "average_points, option_breakdown FROM heiasync.report_question_results WHERE " +
                                     where),
                                 {"ordinal", "scope", "team_id", "tag_id", "question_id"}),
                      "")
                << "report " << report.id;
            expect_original(installation, "report_originals", where, sent);
        }
    }
    for (const auto* kind : {"latest round", "older round", "open questions", "no open question", "similarities",
                             "no similarity", "sub report", "whole organisation", "\"global\"", "\"organisation\"",
                             "\"team\"", "\"tag\"", "\"team_tag\"", "null", "\"too_few_results\"", "\"too_similar\""}) {
        EXPECT_TRUE(kinds.contains(kind)) << "the world is to have: " << kind;
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports WHERE first_listed_at NOT BETWEEN '2026-07-01 "
                                 "04:35:00+03' AND downloaded_at OR downloaded_at > '2026-07-01 04:40:00+03'"),
              0);
}

}  // namespace

}  // namespace heiasync::testing
