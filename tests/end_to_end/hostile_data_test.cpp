#include "hostile_answers.hpp"
#include "simulator/documents.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

namespace heiasync::testing {

namespace {

using simulator::Operation;

/// Hostile statistics that become a stored row.
struct Statistics {
    std::string name;
    std::string body;
    std::string figures;  ///< of the row, in the order of the vendor's document
    std::string extra;    ///< what holds for the members that nobody knows, as SQL
    std::set<std::string> drift{};
};

std::vector<Statistics> hostile_statistics() {
    const auto one = [](const std::string& json) { return R"({"usage": {"app_use_count": )" + json + "}}"; };
    const std::string known = "/usage/app_use_count|other_type|";
    const std::string digits(400, '9');
    const std::string none = "NULL|NULL|NULL|NULL|NULL";
    const std::string twenty_six = "NULL|NULL|NULL|26|NULL";
    return {
        {"NUL",
         R"({"app_use_count": 26, "new": "a\u0000b"})",
         twenty_six,
         "extra ->> 'new' = E'a\\uFFFDb'",
         {"/new|unknown_field|string"}},
        {"surrogate",
         R"({"app_use_count": 26, "new": "\ud800", "\udc00": 1})",
         twenty_six,
         "extra = jsonb_build_object('new', E'\\uFFFD', E'\\uFFFD', 1)",
         {"/new|unknown_field|string", "/___|unknown_field|number"}},
        {"no UTF-8",
         "{\"app_use_count\": 26, \"new\": \"\xFF\"}",
         twenty_six,
         "extra ->> 'new' = E'\\uFFFD'",
         {"/new|unknown_field|string"}},
        {"beyond double", one("1e400000"), none, "extra = '{}'", {known + "number"}},
        {"400 digits", one(digits), none, "extra = '{}'", {known + "number"}},
        {"beyond numeric",
         R"({"app_use_count": 26, "new": [1e400000, 1]})",
         twenty_six,
         R"(extra = '{"new": [null, 1]}')",
         {"/new|unknown_field|array"}},
        {"many digits",
         R"({"app_use_count": 26, "new": )" + digits + "}",
         twenty_six,
         fmt::format("extra = '{{\"new\": {}}}'", digits),
         {"/new|unknown_field|number"}},
        {"key twice",
         one("26, \"app_use_count\": 27"),
         twenty_six,
         "extra = '{}'",
         {"/usage/app_use_count|duplicate_field|number"}},
        {"unknown key twice",
         one("26, \"new\": 1, \"new\": 2"),
         twenty_six,
         R"(extra = '{"new": 2}')",
         {"/usage/new|unknown_field|number"}},
        {"integer in quotes", one("\"26\""), twenty_six, "extra = '{}'"},
        {"integer as a float", one("26.0"), twenty_six, "extra = '{}'"},
        {"no integer", one("26.5"), none, "extra = '{}'", {known + "number"}},
        {"no integer in quotes", one("\"26.5\""), none, "extra = '{}'", {known + "string"}},
        {"array", one("[26]"), none, "extra = '{}'", {known + "array"}},
        {"object", one("{}"), none, "extra = '{}'", {known + "object"}},
        {"boolean", one("true"), none, "extra = '{}'", {known + "boolean"}},
        {"nested and unknown",
         R"({"app_use_count": 26, "deep": )" + nested(many_levels) + "}",
         twenty_six,
         "jsonb_typeof(extra -> 'deep' -> 0 -> 0) = 'array'",
         {"/deep|unknown_field|array"}},
        {"nested", one(nested(many_levels)), none, "extra = '{}'", {known + "array"}},
        {"long",
         R"({"app_use_count": 26, "long": )" + long_string('x') + "}",
         twenty_six,
         fmt::format("length(extra ->> 'long') = {}", long_text_size),
         {"/long|unknown_field|string"}},
    };
}

TEST(HostileData, StatisticsAreStoredOrFailByThemselves) {
    HostileInstallation installation;
    const auto next = [&installation] { return installation.next_organisation([](const auto&) { return true; }); };
    std::map<std::int64_t, std::string> conditions;
    std::map<std::int64_t, Refused> refused;
    std::set<std::string> drift;
    auto expected = installation.truth().usage_stats();
    const auto replace_truth = [&expected](std::int64_t id, const std::string& figures) {
        std::erase_if(expected, [id](const std::string& line) { return line.starts_with(subject(id) + "|"); });
        if (!figures.empty()) {
            expected.insert(subject(id) + "|" + figures);
        }
    };
    for (const auto& statistics : hostile_statistics()) {
        const auto id = next();
        installation.answer(Operation::stats, id, statistics.body);
        conditions.emplace(id, statistics.extra);
        replace_truth(id, statistics.figures);
        drift.insert(statistics.drift.begin(), statistics.drift.end());
    }
    auto all_refused = refused_answers("usage_stats");
    all_refused.push_back(
        {"no figure", R"({"confidential-text-of-a-survey": 1})", "usage_stats: none of the figures that we know"});
    all_refused.push_back({"other shape", R"({"usage": ["confidential-text-of-a-survey"]})",
                           "usage_stats: /usage: expected an object, found array"});
    // What a 400 to a business id means depends on the answer for the whole organisation.
    const auto has_no_business_id = [](const auto& organisation) { return organisation.business_ids.empty(); };
    for (const auto& each : all_refused) {
        const auto id = installation.next_organisation(has_no_business_id);
        installation.answer(Operation::stats, id, each.body);
        refused.emplace(id, each);
        replace_truth(id, "");
    }

    installation.sync("usage-stats", exit_code::incomplete);
    EXPECT_EQ(
        difference(expected, installation.lines("SELECT organisation_id, business_id, total_membership_count, "
                                                "hh_core_total_membership_count, hh_core_accepted_membership_count, "
                                                "app_use_count, app_monthly_use_count FROM heiasync.usage_stats")),
        "");
    installation.expect_rows("usage_stats", conditions);
    installation.expect_failures(refused);
    installation.expect_drift("usage_stats", drift);
}

/// A listing whose first report is not as it should be.
struct ListedReport {
    std::string name;
    std::string what;  ///< is replaced, in the whole listing's text where it stands first
    std::string by;
    std::string error{};  ///< where the report is rejected
    std::set<std::string> drift{};
};

std::vector<ListedReport> hostile_reports(std::int64_t first_id) {
    const auto id = fmt::format("\"id\":{}", first_id);
    const std::string survey = "/items/*/scheduled_survey/";
    return {
        {"NUL", "\"title\":\"", "\"title\":\"a\\u0000b"},
        {"surrogate", "\"title\":\"", "\"title\":\"\\ud800"},
        {"no UTF-8", "\"title\":\"", "\"title\":\"\xFF"},
        {"long", "\"title\":\"", "\"title\":\"" + std::string(long_text_size, 'x')},
        {"beyond numeric", "\"title\":{", "\"title\":{\"new\":1e400000,"},
        {"nested in a title", "\"title\":{", "\"title\":{\"new\":" + nested(many_levels) + ","},
        {"id in quotes", id, fmt::format("\"id\":\"{}\"", first_id)},
        {"id as a float", id, id + ".0"},
        {"key twice",
         "\"viewed\":true",
         "\"viewed\":true,\"viewed\":false",
         "",
         {"/items/*/viewed|duplicate_field|boolean"}},
        {"other type", "\"closed\":true", "\"closed\":[]", "", {survey + "closed|other_type|array"}},
        {"400 digits",
         "\"scheduled_survey\":{",
         "\"scheduled_survey\":{\"id\":" + std::string(400, '9') + ",",
         "",
         {survey + "id|other_type|number", survey + "id|duplicate_field|number"}},
        {"nested and unknown",
         id,
         "\"deep\":" + nested(many_levels) + "," + id,
         "",
         {"/items/*/deep|unknown_field|array"}},
        {"nested",
         "\"sub_report\":",
         "\"sub_report\":" + nested(many_levels) + ",\"sub_report\":",
         "",
         {"/items/*/sub_report|other_type|array", "/items/*/sub_report|duplicate_field|boolean"}},
        {"id is no integer", id, "\"id\":26.5", "reports: /items/0/id: expected an integer of 64 bits, found number"},
        {"id of 400 digits", id, "\"id\":" + std::string(400, '9'),
         "reports: /items/0/id: expected an integer of 64 bits, found number"},
        {"no id", id, "\"new\":1", "reports: /items/0: `id` is missing", {"/items/*/new|unknown_field|number"}},
        {"other time",
         "\"generated_at\":\"",
         "\"generated_at\":\"confidential-text-of-a-survey ",
         "reports: /items/0/generated_at: expected a time with an offset",
         {"/items/*/generated_at|other_type|string"}},
        {"other flag",
         "\"viewed\":true",
         "\"viewed\":\"confidential-text-of-a-survey\"",
         "reports: /items/0/viewed: expected a boolean",
         {"/items/*/viewed|other_type|string"}},
        {"other instance",
         "\"data_instance\":{\"id\":",
         "\"data_instance\":{\"id\":[\"confidential-text-of-a-survey\"],\"id\":",
         "reports: /items/0/data_instance/id: expected a string",
         {"/items/*/data_instance/id|other_type|array", "/items/*/data_instance/id|duplicate_field|string"}},
        {"item that is none", "\"items\":[", "\"items\":[null,", "reports: /items/0: expected an object, found null"},
    };
}

TEST(HostileData, ListingsOfReportsAreStoredOrFailByThemselves) {
    HostileInstallation installation;
    const auto next = [&installation] {
        return installation.next_organisation([&](const simulator::Organisation& organisation) {
            return installation.truth().viewed_reports(organisation.id).size() >= 2;
        });
    };
    std::map<std::int64_t, Refused> refused;
    std::set<std::string> drift;
    auto expected = installation.truth().report_versions();
    for (std::size_t number = 0; number < hostile_reports(0).size(); ++number) {
        const auto id = next();
        const auto reports = installation.truth().viewed_reports(id);
        const auto hostile = hostile_reports(reports.front().id).at(number);
        installation.answer(Operation::reports, id,
                            replaced(simulator::reports_document(reports, std::nullopt), hostile.what, hostile.by));
        drift.insert(hostile.drift.begin(), hostile.drift.end());
        if (!hostile.error.empty()) {
            refused.emplace(id, Refused{hostile.name, "", hostile.error});
            if (hostile.name != "item that is none") {
                expected.erase(version_line(reports.front()));
            }
        }
    }
    for (const auto& each : refused_answers("reports")) {
        const auto id = next();
        installation.answer(Operation::reports, id, each.body);
        refused.emplace(id, each);
        std::erase_if(expected, [id](const std::string& line) { return std::stoll(line) == id; });
    }

    installation.sync("reports", exit_code::incomplete);
    EXPECT_EQ(difference(expected,
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
    installation.expect_failures(refused);
    installation.expect_drift("reports", drift);
    EXPECT_EQ(installation.count(fmt::format("SELECT count(*) FROM heiasync.reports WHERE scheduled_survey_title LIKE "
                                             "E'a\uFFFDb%' OR scheduled_survey_title LIKE E'\uFFFD%' OR "
                                             "length(scheduled_survey_title) > {}",
                                             long_text_size)),
              4);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports WHERE survey_title ? 'new'"), 2);
}

/// An organisation that is not listed as it should be.
struct ListedOrganisation {
    std::string name;
    std::string what;
    std::string by;
    std::string stored;  ///< what then holds for its row, as SQL; empty where it is rejected
    std::string error{};
    std::set<std::string> drift{};
};

std::vector<ListedOrganisation> hostile_organisations(const simulator::Organisation& organisation) {
    const auto id = fmt::format("\"id\":{}", organisation.id);
    const auto name = fmt::format("\"name\":\"{}\"", organisation.name);
    const auto size_class = fmt::format("\"size_class\":{}", organisation.size_class);
    const std::string ids = "\"multi_business_id\":false,\"multi_business_ids\":";
    const std::string none = "cardinality(business_ids) = 0";
    return {
        {"NUL", name, R"("name":"a\u0000b")", "name = E'a\\uFFFDb'"},
        {"surrogate", name, R"("name":"\ud800")", "name = E'\\uFFFD'"},
        {"no UTF-8", name, "\"name\":\"\xFF\"", "name = E'\\uFFFD'"},
        {"long", name, "\"name\":" + long_string('x'), fmt::format("length(name) = {}", long_text_size)},
        {"key twice",
         name,
         name + R"(,"name":"another")",
         fmt::format("name = '{}'", organisation.name),
         "",
         {"/items/*/name|duplicate_field|string"}},
        {"id in quotes", id, fmt::format("\"id\":\"{}\"", organisation.id), "true"},
        {"id as a float", id, id + ".0", "true"},
        {"integer as a float", size_class, size_class + ".0", "size_class IS NOT NULL"},
        {"no integer",
         size_class,
         size_class + ".5",
         "size_class IS NULL",
         "",
         {"/items/*/size_class|other_type|number"}},
        {"beyond double",
         size_class,
         "\"size_class\":1e400000",
         "size_class IS NULL",
         "",
         {"/items/*/size_class|other_type|number"}},
        {"nested",
         size_class,
         "\"size_class\":" + nested(many_levels),
         "size_class IS NULL",
         "",
         {"/items/*/size_class|other_type|array"}},
        {"nested and unknown",
         id,
         "\"deep\":" + nested(many_levels) + "," + id,
         "true",
         "",
         {"/items/*/deep|unknown_field|array"}},
        {"business ids that are none",
         "\"multi_business_id\":false",
         ids + R"(["\ud800",7,"",null])",
         none,
         "",
         {"/items/*/multi_business_ids/*|other_type|string", "/items/*/multi_business_ids/*|other_type|number"}},
        {"no list",
         "\"multi_business_id\":false",
         ids + "\"a\"",
         none,
         "",
         {"/items/*/multi_business_ids|other_type|string"}},
        {"id is no integer", id, "\"id\":1.5", "", ": expected an integer of 64 bits, found number"},
        {"id of 400 digits", id, "\"id\":" + std::string(400, '9'), "",
         ": expected an integer of 64 bits, found number"},
        {"no id", id, "\"id\":null", "", ": expected an integer of 64 bits, found null"},
        {"no name", name, "\"name\":[\"confidential-text-of-a-survey\"]", "", ": expected a string, found array"},
        {"empty name", name, "\"name\":\"\"", "", ": is empty"},
    };
}

TEST(HostileData, OrganisationsAreStoredOrMakeTheListingIncomplete) {
    HostileInstallation installation;
    std::map<std::int64_t, std::string> conditions;
    std::set<std::string> drift;
    std::string items;
    std::size_t number = 0;
    std::size_t rejected = 0;
    auto expected = installation.truth().organisation_ids();
    for (const auto& organisation : installation.truth().organisations()) {
        const auto page = simulator::organisations_document({&organisation, 1}, std::nullopt);
        auto item = page.substr(page.find('[') + 1, page.rfind(']') - page.find('[') - 1);
        const auto hostile = hostile_organisations(organisation);
        if (number < hostile.size() && !organisation.multi_business_id) {
            const auto& own = hostile[number++];
            item = replaced(item, own.what, own.by);
            drift.insert(own.drift.begin(), own.drift.end());
            if (own.stored.empty()) {
                ++rejected;
                expected.erase(std::to_string(organisation.id));
            } else {
                conditions.emplace(organisation.id, own.stored);
            }
        }
        items += (items.empty() ? "" : ",") + item;
    }
    ASSERT_EQ(number, conditions.size() + rejected);
    installation.api().answer_with(Operation::organisations, {}, {}, "{\"total\":null,\"items\":[" + items + "]}");

    installation.sync("organisations", exit_code::incomplete);
    EXPECT_EQ(difference(expected, installation.lines("SELECT organisation_id FROM heiasync.organisations")), "");
    installation.expect_rows("organisations", conditions);
    installation.expect_failures(
        {{0, {"listing", "", ": expected an integer of 64 bits, found number", "listing_incomplete"}}});
    installation.expect_drift("organisations", drift);
}

TEST(HostileData, AListingThatIsNoneRemovesNobody) {
    HostileInstallation installation;
    installation.sync("organisations", exit_code::done);
    const auto known = installation.lines("SELECT organisation_id FROM heiasync.organisations");
    for (auto each : refused_answers("organisations")) {
        const ::testing::ScopedTrace trace{__FILE__, __LINE__, each.name};
        installation.execute("DELETE FROM heiasync.sync_tasks");
        installation.api().clear_faults();
        installation.api().answer_with(Operation::organisations, {}, {}, each.body);
        installation.sync("organisations", exit_code::incomplete);
        each.reason = "listing_incomplete";
        installation.expect_failures({{0, each}});
        EXPECT_EQ(installation.lines("SELECT organisation_id FROM heiasync.organisations WHERE removed_at IS NULL"),
                  known);
    }
}

}  // namespace

}  // namespace heiasync::testing
