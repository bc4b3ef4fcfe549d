#include "hostile_answers.hpp"
#include "originals.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <utility>

namespace heiasync::testing {

namespace {

using simulator::Operation;

/// One of the two kinds of survey document, and where what is made of it is found.
struct Kind {
    Operation operation;
    std::string name;  ///< in errors
    std::string stream;
    std::string stored;  ///< relations
    std::string results;
    std::string originals;
    std::string id;
    std::string whole;  ///< selects what is not of a business id
};

const Kind energy_levels{Operation::energy_levels, "energy_levels",          "energy_levels",   "energy_levels",
                         "energy_level_results",   "energy_level_originals", "energy_level_id", "business_id = ''"};
const Kind reports{Operation::full_data, "report_data",      "reports",           "reports",
                   "report_results",     "report_originals", "report_version_id", "true"};

/// A document but for the parts that are hostile.
struct Parts {
    std::string team_name = R"("confidential-text-of-a-survey")";
    std::string participants = "30";
    std::string answers = "26";
    std::string average = "3.5";
    std::string title = R"({"en": "confidential-text-of-a-survey?"})";
    std::string more;        ///< members of the document, each with a comma behind it
    std::string more_teams;  ///< results of teams, each with a comma before it
};

std::string document(const Kind& kind, const Parts& parts) {
    const bool is_report = kind.operation == Operation::full_data;
    return fmt::format(
        R"({{"questions": [{{"id": 1, "title": {}, "position": 0}}], {} "teams": [{{"id": 7, "name": {}}}], {}
             "instances": [{{"minimum_answer_count": 5, {}
               "organisation": {{"participant_count": {}, "answer_count": {}, "average_points": {},
                                 "answer_percentages": [3.5], "breakdown": {{"1": [40, 60]}}}},
               "teams": {{"7": {{"answer_count": 9}}{}}}}}]}})",
        parts.title, parts.more, parts.team_name, is_report ? R"("tags": [],)" : "",
        is_report ? R"("open_questions": [{"answers": ["confidential-text-of-a-survey"]}],)" : "", parts.participants,
        parts.answers, parts.average, parts.more_teams);
}

/// A hostile document that becomes a stored row.
struct Hostile {
    std::string name;
    Parts parts;
    std::string status;
    std::set<std::string> drift{};
    std::string figures = "30|26|3.5";  ///< participants, answers and average points of the organisation
    std::string team_name = std::string{confidential};
};

template <std::string Parts::*part>
Parts with(std::string value) {
    Parts parts;
    parts.*part = std::move(value);
    return parts;
}

std::vector<Hostile> hostile_texts() {
    const auto named = [](std::string name, const std::string& json, std::string stored) {
        return Hostile{std::move(name), with<&Parts::team_name>(json), "sanitised", {}, "30|26|3.5", std::move(stored)};
    };
    return {named("NUL", R"("Te\u0000am")", "Te\uFFFDam"),
            named("lone surrogate", R"("Te\ud800am")", "Te\uFFFDam"),
            named("swapped surrogates", R"("\udc00\ud800")", "\uFFFD\uFFFD"),
            named("no UTF-8", "\"Te\xFF\xC3\"", "Te\uFFFD\uFFFD"),
            named("surrogate in UTF-8", "\"\xED\xA0\x80\"", "\uFFFD\uFFFD\uFFFD"),
            {"NUL in a name", with<&Parts::more>(R"("\u0000": 1,)"), "sanitised", {"/___|unknown_field|number"}},
            {"long text",
             with<&Parts::team_name>(long_string('x')),
             "stored",
             {},
             "30|26|3.5",
             std::string(long_text_size, 'x')},
            {"long unknown text",
             with<&Parts::more>("\"long\": " + long_string('x') + ","),
             "stored",
             {"/long|unknown_field|string"}},
            {"long name",
             with<&Parts::more>(long_string('n') + ": 1,"),
             "stored",
             {"/" + std::string(64, 'n') + "|unknown_field|number"}}};
}

std::vector<Hostile> hostile_values() {
    const std::string digits(400, '9');
    const std::string participants = "/instances/*/organisation/participant_count|other_type|";
    const std::string answers = "/instances/*/organisation/answer_count|other_type|";
    const std::string average = "/instances/*/organisation/average_points|other_type|";
    return {
        {"beyond numeric", with<&Parts::more>(R"("huge": 1e400000,)"), "sanitised", {"/huge|unknown_field|number"}},
        {"beyond double", with<&Parts::average>("1e400000"), "sanitised", {average + "number"}, "30|26|NULL"},
        {"400 digits", with<&Parts::answers>(digits), "stored", {answers + "number"}, "30|NULL|3.5"},
        {"400 digits in quotes",
         with<&Parts::average>('"' + digits + '"'),
         "stored",
         {average + "string"},
         "30|26|NULL"},
        {"integer in quotes", with<&Parts::answers>(R"("26")"), "stored"},
        {"integer as a float", with<&Parts::answers>("26.0"), "stored"},
        {"integer with an exponent", with<&Parts::answers>("0.26E2"), "stored"},
        {"float in quotes", with<&Parts::average>(R"("3.5")"), "stored"},
        {"no integer", with<&Parts::answers>("26.5"), "stored", {answers + "number"}, "30|NULL|3.5"},
        {"no integer in quotes", with<&Parts::answers>(R"("26.5")"), "stored", {answers + "string"}, "30|NULL|3.5"},
        {"array", with<&Parts::participants>("[30]"), "stored", {participants + "array"}, "NULL|26|3.5"},
        {"object", with<&Parts::participants>(R"({"a": 30})"), "stored", {participants + "object"}, "NULL|26|3.5"},
        {"boolean", with<&Parts::participants>("true"), "stored", {participants + "boolean"}, "NULL|26|3.5"},
    };
}

std::vector<Hostile> hostile_structures() {
    std::string objects;
    for (std::size_t level = 0; level < many_levels; ++level) {
        objects += "{\"a\":";
    }
    objects += "1" + std::string(many_levels, '}');
    return {
        {"key twice",
         with<&Parts::answers>(R"(26, "answer_count": 27)"),
         "stored",
         {"/instances/*/organisation/answer_count|duplicate_field|number"}},
        {"team twice",
         with<&Parts::more_teams>(R"(, "7": {"answer_count": 10}, "7.0": {"answer_count": 11}, "x": {})"),
         "stored",
         {"/instances/*/teams/*|unknown_field|object"}},
        {"nested and unknown",
         with<&Parts::more>("\"deep\": " + nested(many_levels) + ","),
         "sanitised",
         {"/deep|unknown_field|array"}},
        {"nested objects",
         with<&Parts::more>("\"deep\": " + objects + ","),
         "sanitised",
         {"/deep|unknown_field|object"}},
        {"nested for a number",
         with<&Parts::average>(nested(many_levels)),
         "sanitised",
         {"/instances/*/organisation/average_points|other_type|array"},
         "30|26|NULL"},
        {"nested in a title", with<&Parts::title>("{\"en\": " + nested(many_levels) + "}"), "sanitised"},
    };
}

std::vector<Refused> refused_documents(const Kind& kind) {
    const auto sound = document(kind, {});
    const auto up_to = [&sound](std::string_view part) { return sound.substr(0, sound.find(part) + part.size()); };
    auto all = refused_answers(kind.name);
    const std::vector<Refused> more{
        {"cut in a result", up_to("\"answer_count\": "),
         kind.name + ": /instances/0/organisation/answer_count: the document ends early"},
        {"cut at the end", up_to("]}}"), kind.name + ": /instances/0/organisation: the document ends early"},
        {"two documents", sound + "{}", kind.name + ": something follows the document"},
        {"no instances", replaced(sound, "\"instances\"", "\"rounds\""), kind.name + ": `instances` is missing"},
        {"object for an array", replaced(sound, "\"questions\": [", "\"questions\": {}, \"x\": ["),
         kind.name + ": /questions: expected an array, found object"},
        {"key that is no integer", replaced(sound, "\"id\": 1", "\"id\": 1.5"),
         kind.name + ": /questions/0/id: expected an integer of 64 bits, found number"},
    };
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// What is to be stored of the organisations that were sent a hostile document, as lines that begin with their ids.
struct Expected {
    std::vector<std::int64_t> ids;
    std::set<std::string> statuses;
    std::set<std::string> figures;
    std::set<std::string> team_names;
    std::set<std::string> digests;
    std::set<std::string> drift;

    void add(std::int64_t id, const Hostile& hostile, const std::string& sent) {
        ids.push_back(id);
        statuses.insert(fmt::format("{}|{}|t", id, hostile.status));
        figures.insert(fmt::format("{}|{}", id, hostile.figures));
        team_names.insert(fmt::format("{}|{}", id, hostile.team_name));
        digests.insert(fmt::format("{}|{}", id, sha256_hex(sent)));
        drift.insert(hostile.drift.begin(), hostile.drift.end());
    }
};

class HostileSurveys : public ::testing::Test {
protected:
    /// Of those that the kind is fetched for, with as little besides as can be.
    std::int64_t next_organisation(const Kind& kind) {
        return installation.next_organisation([&](const simulator::Organisation& organisation) {
            return kind.operation == Operation::energy_levels
                       ? installation.truth().accepted_members(organisation.id, {}) >= 5
                       : !installation.truth().viewed_reports(organisation.id).empty();
        });
    }

    /// Has each document sent for an organisation of its own, runs the sync and looks at all that became of it.
    void check(const Kind& kind) {
        Expected expected;
        for (const auto& group : {hostile_texts(), hostile_values(), hostile_structures()}) {
            for (const auto& hostile : group) {
                const auto id = next_organisation(kind);
                const auto sent = document(kind, hostile.parts);
                installation.answer(kind.operation, id, sent);
                expected.add(id, hostile, sent);
            }
        }
        for (const auto& each : refused_documents(kind)) {
            const auto id = next_organisation(kind);
            installation.answer(kind.operation, id, each.body);
            refused.emplace(id, each);
        }

        installation.sync(kind.stream == "reports" ? "reports" : "energy-levels", exit_code::incomplete);
        const auto compare = [&](const std::set<std::string>& lines, std::string_view columns,
                                 std::string_view relation, std::string_view condition) {
            EXPECT_TRUE(lines == installation.lines(fmt::format("SELECT DISTINCT organisation_id, {} FROM heiasync.{} "
                                                                "WHERE organisation_id IN ({}) AND {} AND {}",
                                                                columns, relation, fmt::join(expected.ids, ","),
                                                                condition, kind.whole)))
                << columns << " of " << relation;
        };
        compare(expected.statuses, "document_status, document IS NOT NULL", kind.stored, "true");
        compare(expected.figures, "participant_count, answer_count, average_points", kind.results,
                "scope = 'organisation'");
        compare(expected.team_names, "team_name", kind.results, "scope = 'team' AND team_id = 7");
        EXPECT_EQ(difference(expected.digests,
                             kept_digests(
                                 installation, kind.originals, kind.id,
                                 fmt::format("organisation_id IN ({}) AND {} IN (SELECT {} FROM heiasync.{} "
                                             "WHERE {})",
                                             fmt::join(expected.ids, ","), kind.id, kind.id, kind.stored, kind.whole))),
                  "");
        installation.expect_failures(refused);
        installation.expect_drift(kind.stream, expected.drift);
    }

    HostileInstallation installation;
    std::map<std::int64_t, Refused> refused;
};

TEST_F(HostileSurveys, EnergyLevelsAreStoredOrFailByThemselves) {
    check(energy_levels);
    auto expected = installation.truth().at_least(5);
    for (const auto& [id, each] : refused) {
        expected.erase(subject(id));
    }
    EXPECT_EQ(
        difference(expected, installation.lines("SELECT organisation_id, business_id FROM heiasync.energy_levels")),
        "");
}

TEST_F(HostileSurveys, ReportsAreStoredOrFailByThemselves) {
    check(reports);
    auto expected = installation.truth().report_versions();
    std::erase_if(expected, [this](const std::string& line) { return refused.contains(std::stoll(line)); });
    EXPECT_EQ(difference(expected,
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
}

}  // namespace

}  // namespace heiasync::testing
