#include "installation.hpp"
#include "rows.hpp"
#include "simulator/documents.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace heiasync::testing {

namespace {

constexpr auto boundary_day = "2026-07-01";

/// What the API says of a group's values: a line for each that it suppresses.
class SuppressedGroups {
public:
    void add_energy_levels(const std::string& subject, const rapidjson::Value& instance) {
        add(subject + "|organisation|0", instance["organisation"]);
        for_each(instance, "teams",
                 [&](const std::string& id, const auto& team) { add(subject + "|team|" + id, team); });
    }

    void add_round(const std::string& round, const rapidjson::Value& instance) {
        add(round + "|organisation|0|0", instance["organisation"]);
        for_each(instance, "teams", [&](const std::string& id, const auto& team) {
            add(fmt::format("{}|team|{}|0", round, id), team);
            for_each(team, "tags", [&](const std::string& tag_id, const auto& tag) {
                add(fmt::format("{}|team_tag|{}|{}", round, id, tag_id), tag);
            });
        });
        for_each(instance, "tags",
                 [&](const std::string& id, const auto& tag) { add(fmt::format("{}|tag|0|{}", round, id), tag); });
    }

    [[nodiscard]] const std::set<std::string>& lines() const { return lines_; }

private:
    template <class Function>
    static void for_each(const rapidjson::Value& parent, const char* name, Function function) {
        if (const auto& groups = member(parent, name); groups.IsObject()) {
            for (const auto& [id, group] : groups.GetObject()) {
                function(std::string{id.GetString()}, group);
            }
        }
    }

    void add(const std::string& group, const rapidjson::Value& result) {
        if (result["insufficient_data"].IsTrue()) {
            lines_.insert(fmt::format("{}|{}|{}|{}", group, result["insufficient_data_reason"].GetString(),
                                      result["participant_count"].GetInt64(), result["answer_count"].GetInt64()));
        }
    }

    std::set<std::string> lines_;
};

/// A history whose owner has migrated it and whose writer has synced, on a day that brings every kind of document.
class Roles : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        history = new Installation;
        const std::string& url = history->database_url();
        std::ifstream file{HEIASYNC_ROLES_SQL};
        query(url, {std::istreambuf_iterator<char>{file}, {}});
        query(url,
              "ALTER ROLE heiasync_owner LOGIN; ALTER ROLE heiasync_writer LOGIN; ALTER ROLE heiasync_reader LOGIN");
        history->config()["database"]["url"] = PostgresServer::as_role(url, "heiasync_writer");
        history->config()["database"]["owner_url"] = PostgresServer::as_role(url, "heiasync_owner");
        const Outcome outcome = history->sync_on(boundary_day);
        ASSERT_EQ(outcome.exit_code, exit_code::incomplete) << "some counts are unknown: " << outcome;
    }
    static void TearDownTestSuite() { delete std::exchange(history, nullptr); }

    /// As the reader.
    static std::set<std::string> lines(const std::string& sql) {
        std::set<std::string> lines;
        for (const auto& row : query(PostgresServer::as_role(history->database_url(), "heiasync_reader"), sql)) {
            lines.insert(fmt::format("{}", fmt::join(row, "|")));
        }
        return lines;
    }

    static rapidjson::Document parsed(const std::string& json) {
        rapidjson::Document document;
        document.Parse(json.c_str());
        return document;
    }

    static SuppressedGroups in_energy_levels() {
        SuppressedGroups groups;
        for (const auto& line : history->truth_on(boundary_day).at_least(5)) {
            const auto bar = line.find('|');
            groups.add_energy_levels(line, parsed(simulator::energy_levels_document(
                                               history->api().world(), std::stoll(line), line.substr(bar + 1),
                                               {core::parse_date("2026-06-01"), core::parse_date("2026-06-30")},
                                               instant_after_slot(boundary_day)))["instances"][0]);
        }
        return groups;
    }

    static SuppressedGroups in_reports() {
        SuppressedGroups groups;
        for (const auto& report : history->truth_on(boundary_day).viewed_reports()) {
            const auto document = parsed(simulator::report_document(history->api().world(), report));
            int ordinal = 0;
            for (const auto& instance : document["instances"].GetArray()) {
                groups.add_round(fmt::format("{}|{}", version_line(report), ordinal++), instance);
            }
        }
        return groups;
    }

    static inline Installation* history = nullptr;
};

TEST_F(Roles, WhatTheApiSuppressesIsSuppressed) {
    const auto energy_levels = in_energy_levels();
    const auto reports = in_reports();
    for (const std::string_view reason : {"too_few_results", "too_similar"}) {
        for (const auto* groups : {&energy_levels, &reports}) {
            EXPECT_TRUE(std::ranges::any_of(groups->lines(), [reason](const std::string& line) {
                return line.find(reason) != std::string::npos;
            })) << reason;
        }
    }
    EXPECT_EQ(difference(energy_levels.lines(),
                         lines("SELECT organisation_id, business_id, scope, team_id, insufficient_data_reason, "
                               "participant_count, answer_count FROM heiasync.energy_level_results "
                               "WHERE insufficient_data")),
              "");
    EXPECT_EQ(difference(reports.lines(),
                         lines("SELECT organisation_id, report_id, generated_at, ordinal, scope, team_id, tag_id, "
                               "insufficient_data_reason, participant_count, answer_count "
                               "FROM heiasync.report_results "
                               "JOIN heiasync.reports USING (organisation_id, report_id, report_version_id) "
                               "WHERE insufficient_data")),
              "");
}

/// Whatever relation a reader sees that tells of groups: of a suppressed one it has keys, names, the two counts and the
/// questions, and nothing else.
TEST_F(Roles, NoRelationHasAFigureOfASuppressedGroup) {
    const auto relations =
        query(PostgresServer::as_role(history->database_url(), "heiasync_reader"),
              "SELECT table_name, "
              "       CASE WHEN bool_or(column_name = 'energy_level_id') THEN 'energy_level_results' "
              "            ELSE 'report_results' END, "
              "       CASE WHEN bool_or(column_name = 'energy_level_id') THEN 'energy_level_id, scope, team_id' "
              "            ELSE 'report_version_id, ordinal, scope, team_id, tag_id' END, "
              "       string_agg(format('relation.%I', column_name), ', ') FILTER (WHERE column_name <> ALL ("
              "           '{organisation_id,business_id,energy_level_id,period_start,period_end,report_version_id,"
              "             report_id,ordinal,scope,team_id,team_name,tag_id,tag_name,question_id,position,"
              "             question_title,category,options,participant_count,answer_count,insufficient_data,"
              "             insufficient_data_reason}')) "
              "FROM information_schema.columns WHERE table_schema = 'heiasync' "
              "GROUP BY 1 HAVING bool_or(column_name = 'scope') AND table_name <> 'report_changes' ORDER BY 1");
    ASSERT_GE(relations.size(), 4U);
    for (const auto& relation : relations) {
        SCOPED_TRACE(relation[0]);
        const std::string rows = fmt::format(
            "FROM heiasync.{} AS relation JOIN heiasync.{} AS result USING (organisation_id, {}) "
            "WHERE result.insufficient_data",
            relation[0], relation[1], relation[2]);
        EXPECT_EQ(lines(fmt::format("SELECT count(*) > 0 {}", rows)), std::set<std::string>{"t"});
        EXPECT_EQ(lines(fmt::format("SELECT relation::text {} AND num_nonnulls({}) > 0", rows, relation[3])),
                  std::set<std::string>{});
    }
}

TEST_F(Roles, NoDocumentHasAFigureOfASuppressedGroup) {
    const auto groups = [](const std::string& relation) {
        return fmt::format(
            "FROM heiasync.{} CROSS JOIN LATERAL "
            "jsonb_path_query(document, 'strict $.** ? (@.insufficient_data == true)') AS suppressed",
            relation);
    };
    EXPECT_EQ(lines("SELECT count(*) " + groups("energy_levels")),
              std::set<std::string>{std::to_string(in_energy_levels().lines().size())});
    EXPECT_EQ(lines("SELECT count(*) " + groups("reports")),
              std::set<std::string>{std::to_string(in_reports().lines().size())});
    for (const std::string relation : {"energy_levels", "reports"}) {
        EXPECT_EQ(lines(fmt::format("SELECT suppressed {} WHERE jsonb_strip_nulls(suppressed - "
                                    "'{{participant_count,answer_count,insufficient_data,insufficient_data_reason,"
                                    "tags}}'::text[]) <> '{{}}'",
                                    groups(relation))),
                  std::set<std::string>{});
    }
}

/// What a version suppresses is no value of that version there either, whatever the other one shows.
TEST_F(Roles, NoChangeHasAFigureOfASuppressedGroup) {
    history->sync_on("2026-08-01");
    for (const auto& [version, value] :
         {std::pair{"older_report_version_id", "old_value"}, std::pair{"newer_report_version_id", "new_value"}}) {
        const std::string changes = fmt::format(
            "FROM heiasync.report_changes AS change JOIN heiasync.report_results AS result "
            "USING (organisation_id, ordinal, scope, team_id, tag_id) "
            "WHERE result.report_version_id = change.{} AND insufficient_data",
            version);
        EXPECT_EQ(lines(fmt::format("SELECT change::text {} AND {} IS NOT NULL "
                                    "AND figure NOT IN ('participant_count', 'answer_count')",
                                    changes, value)),
                  std::set<std::string>{});
    }
}

}  // namespace

}  // namespace heiasync::testing
