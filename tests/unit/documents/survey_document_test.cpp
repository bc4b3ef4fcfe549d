#include "documents/survey_document.hpp"

#include "documents/decode.hpp"
#include "unit/documents/samples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <map>

namespace heiasync::documents {
namespace {

using samples::replaced;
using testing::ElementsAre;
using testing::IsEmpty;

class Collector final : public ResultVisitor {
public:
    void visit(std::int64_t ordinal, const GroupResult& result) override { results.emplace_back(ordinal, result); }

    /// The only result with this scope and these ids.
    [[nodiscard]] const GroupResult& at(Scope scope, std::int64_t team = 0, std::int64_t tag = 0,
                                        std::int64_t ordinal = 0) const {
        const auto matches = [&](const auto& entry) {
            const auto& group = entry.second.group;
            return entry.first == ordinal && group.scope == scope && group.team_id == team && group.tag_id == tag;
        };
        EXPECT_EQ(std::ranges::count_if(results, matches), 1);
        return std::ranges::find_if(results, matches)->second;
    }

    std::vector<std::pair<std::int64_t, GroupResult>> results;
};

struct Decoded {
    SurveyDocument document;
    Collector collector;
};

void decode_into(Decoded& decoded, SurveyDocumentKind kind, std::string_view text) {
    decoded.document = decode_survey_document(kind, samples::original_of(text), decoded.collector);
}

std::string failure_of(SurveyDocumentKind kind, std::string_view text) {
    try {
        Decoded decoded;
        decode_into(decoded, kind, text);
    } catch (const DecodeError& error) {
        return error.what();
    }
    return "";
}

/// A report whose only instance has this organisation result.
std::string with_organisation_result(std::string_view result) {
    return R"({"teams":[],"tags":[],"questions":[],"instances":[{"organisation":)" + std::string{result} + "}]}";
}

std::string shown(const auto& value) {
    return value ? fmt::format("{}", *value) : "-";
}

std::string shown(const std::optional<Figures>& figures) {
    return figures ? std::string{figures->text()} : "-";
}

/// `id=figures`, a question after the other.
std::string shown(const Breakdown& breakdown) {
    const auto numbers = breakdown.figures().numbers();
    std::string text;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < breakdown.question_ids().size(); ++i) {
        text += fmt::format("{}{}=", i == 0 ? "" : " ", breakdown.question_ids()[i]);
        for (; begin < breakdown.ends().at(i); ++begin) {
            text += shown(numbers.at(begin)) + ",";
        }
    }
    EXPECT_EQ(begin, numbers.size());
    return text;
}

/// Everything that a decoding gave, results sorted, as text: what two decodings are compared by.
std::string everything(const Decoded& decoded) {
    std::vector<std::string> lines;
    for (const auto& [ordinal, result] : decoded.collector.results) {
        const auto& group = result.group;
        auto line =
            fmt::format("{} {} {} {} {} {}: {} {} {} {} {} [{}] [{}]", ordinal, static_cast<int>(group.scope),
                        group.team_id, shown(group.team_name), group.tag_id, shown(group.tag_name),
                        shown(result.participant_count), shown(result.answer_count), shown(result.average_points),
                        result.insufficient_data, shown(result.insufficient_data_reason),
                        shown(result.point_categories), shown(result.question_average_points));
        line += " " + shown(result.breakdown);
        lines.push_back(line);
    }
    std::ranges::sort(lines);
    const auto& document = decoded.document;
    for (const auto& question : document.questions) {
        lines.push_back(fmt::format("{} {} {} {} {}", question.id, shown(question.position), shown(question.title),
                                    shown(question.category), shown(question.options)));
    }
    for (const auto& instance : document.instances) {
        lines.push_back(fmt::format(
            "{} {} {} {} {} {} {}", instance.generated_at ? core::format_instant(*instance.generated_at) : "-",
            instance.start_time ? core::format_instant(*instance.start_time) : "-",
            instance.ends_on ? core::format_date(*instance.ends_on) : "-", shown(instance.minimum_answer_count),
            shown(instance.point_minimum), shown(instance.point_maximum), shown(instance.point_step)));
    }
    for (const auto& drift : document.drift) {
        lines.push_back(drift.json_pointer + " " + drift.sample_type);
    }
    lines.push_back(shown(document.title) + shown(document.sub_report) + shown(document.business_id) +
                    shown(document.business_description));
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string everything(SurveyDocumentKind kind, std::string_view text) {
    Decoded decoded;
    decode_into(decoded, kind, text);
    return everything(decoded);
}

TEST(EnergyLevels, gives_every_field_of_the_document) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::energy_levels, samples::energy_levels());
    const auto& [document, collector] = decoded;
    EXPECT_THAT(document.drift, IsEmpty());
    ASSERT_EQ(document.questions.size(), 2U);
    EXPECT_EQ(document.questions[0].id, 185430);
    EXPECT_EQ(document.questions[0].position, 0);
    EXPECT_EQ(document.questions[0].title, "{\"en\":\"How are you?\",\"fi\":\"Mit\xC3\xA4 kuuluu?\"}");
    EXPECT_EQ(document.questions[0].category, R"({"en":"Mood"})");
    EXPECT_EQ(document.questions[0].options,
              R"([{"id":"8430172","points":5,"title":{"en":"Well"}},{"id":8430173,"points":1}])");
    EXPECT_EQ(document.questions[1].id, 9);
    EXPECT_EQ(document.questions[1].category, std::nullopt);
    EXPECT_EQ(document.questions[1].options, "[]");
    ASSERT_EQ(document.instances.size(), 1U);
    EXPECT_EQ(document.instances[0].minimum_answer_count, 7);
    EXPECT_FALSE(document.title);

    ASSERT_EQ(collector.results.size(), 4U);
    const auto& global = collector.at(Scope::global);
    EXPECT_EQ(global.average_points, 3.5);
    EXPECT_EQ(shown(global.question_average_points), "3.1699,4.25");
    EXPECT_EQ(shown(global.breakdown), "9=60,40,");
    EXPECT_EQ(global.participant_count, std::nullopt);
    const auto& organisation = collector.at(Scope::organisation);
    EXPECT_EQ(organisation.participant_count, 79);
    EXPECT_EQ(organisation.answer_count, 51);
    EXPECT_EQ(organisation.average_points, 3.435);
    EXPECT_EQ(shown(organisation.question_average_points), "2.8,null");
    EXPECT_EQ(shown(organisation.breakdown), "9=100,0, 185430=7.5,92.5,");
    EXPECT_EQ(shown(organisation.point_categories), "0,2.439,97.561");
    EXPECT_FALSE(organisation.insufficient_data);
    const auto& team = collector.at(Scope::team, 3205492853);
    EXPECT_EQ(team.group.team_name, "Accounting");
    EXPECT_TRUE(team.insufficient_data);
    EXPECT_EQ(team.insufficient_data_reason, "too_few_results");
    EXPECT_EQ(team.participant_count, 4);
    EXPECT_EQ(team.answer_count, 2);
    EXPECT_EQ(collector.at(Scope::team, 53894821).group.team_name, std::nullopt) << "no such team is listed";
}

TEST(ReportDocument, gives_every_field_of_the_document) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report, samples::report());
    const auto& [document, collector] = decoded;
    EXPECT_THAT(document.drift, IsEmpty());
    EXPECT_EQ(document.title, "Survey title");
    EXPECT_EQ(document.sub_report, true);
    EXPECT_EQ(document.business_id, "123123-1");
    EXPECT_EQ(document.business_description, "Description about sub company");
    ASSERT_EQ(document.instances.size(), 2U);
    const auto& latest = document.instances[0];
    EXPECT_EQ(core::format_instant(latest.generated_at.value()), "2019-05-21T11:10:59Z");
    EXPECT_EQ(core::format_instant(latest.start_time.value()), "2019-05-07T11:08:37Z");
    EXPECT_EQ(core::format_date(latest.ends_on.value()), "2019-05-14");
    EXPECT_EQ(latest.minimum_answer_count, 5);
    EXPECT_EQ(latest.point_minimum, 1.0);
    EXPECT_EQ(latest.point_maximum, 5.0);
    EXPECT_EQ(latest.point_step, 0.5);
    EXPECT_EQ(core::format_instant(document.instances[1].generated_at.value()), "2018-05-21T11:10:59Z");

    ASSERT_EQ(collector.results.size(), 5U) << "a group that is null has no result";
    EXPECT_EQ(collector.at(Scope::team, 7).group.team_name, "Everybody");
    EXPECT_EQ(collector.at(Scope::team, 7).average_points, 4.0);
    const auto& team_tag = collector.at(Scope::team_tag, 7, 472683);
    EXPECT_EQ(team_tag.group.team_name, "Everybody");
    EXPECT_EQ(team_tag.group.tag_name, "0-1 years");
    EXPECT_EQ(team_tag.average_points, 2.5);
    const auto& tag = collector.at(Scope::tag, 0, 472683);
    EXPECT_EQ(tag.group.tag_name, "0-1 years");
    EXPECT_TRUE(tag.insufficient_data);
    EXPECT_EQ(collector.at(Scope::organisation, 0, 0, 1).answer_count, 26) << "a count as a string";
}

TEST(SurveyDocument, is_read_the_same_in_any_order_of_its_members) {
    std::vector<std::string> parts{std::string{samples::report_head}, R"("teams": )" + std::string{samples::team_list},
                                   R"("tags": [{"id": 472683, "name": "0-1 years"}])", samples::report_questions(),
                                   samples::report_instances()};
    const auto expected = everything(SurveyDocumentKind::report, samples::report());
    std::ranges::sort(parts);
    int orders = 0;
    do {
        EXPECT_EQ(everything(SurveyDocumentKind::report, fmt::format("{{{}}}", fmt::join(parts, ","))), expected);
        ++orders;
    } while (std::ranges::next_permutation(parts).found);
    EXPECT_EQ(orders, 120);
}

TEST(SurveyDocument, visits_each_result_once_when_it_needs_a_second_pass) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report,
                R"({"instances":[{"teams":{"1":{"answer_count":5}}}],"questions":[],"teams":[{"id":1,"name":"A"}]})");
    ASSERT_EQ(decoded.collector.results.size(), 1U);
    EXPECT_EQ(decoded.collector.at(Scope::team, 1).group.team_name, "A");
    EXPECT_EQ(decoded.document.instances.size(), 1U);
}

TEST(SurveyDocument, is_read_the_same_wherever_the_inflated_pieces_end) {
    const auto text = samples::report();
    const auto expected = everything(SurveyDocumentKind::report, text);
    for (std::size_t begin = 0; begin < text.size(); begin += 3) {
        const auto padded = std::string(65'536 - begin, ' ') + text;
        ASSERT_EQ(everything(SurveyDocumentKind::report, padded), expected) << begin;
    }
}

TEST(SurveyDocument, stores_no_value_of_a_group_with_insufficient_data) {
    const auto with_flag = [](std::string_view flag) {
        return with_organisation_result(
            replaced(std::string{samples::organisation_result}, R"("insufficient_data": false)", flag));
    };
    for (const auto* flag :
         {R"("insufficient_data": true)", R"("insufficient_data": "true")", R"("insufficient_data": 1)"}) {
        Decoded decoded;
        decode_into(decoded, SurveyDocumentKind::report, with_flag(flag));
        const auto& result = decoded.collector.at(Scope::organisation);
        EXPECT_TRUE(result.insufficient_data) << flag;
        EXPECT_EQ(result.participant_count, 79);
        EXPECT_EQ(result.answer_count, 51);
        EXPECT_FALSE(result.average_points);
        EXPECT_FALSE(result.point_categories);
        EXPECT_FALSE(result.question_average_points);
        EXPECT_EQ(shown(result.breakdown), "");
    }
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report,
                with_organisation_result(R"({"average_points":3,"insufficient_data_reason":"too_similar"})"));
    EXPECT_TRUE(decoded.collector.at(Scope::organisation).insufficient_data) << "a reason without the flag";
    EXPECT_FALSE(decoded.collector.at(Scope::organisation).average_points);
}

TEST(SurveyDocument, notes_what_is_new_or_of_another_type_and_goes_on) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report, R"({"new":1,"title":5,"tags":7,
        "teams":[{"id":1,"name":"A","colour":"red"},{"id":"x","name":"B"},{"name":"C"},null,8],
        "questions":[{"id":"5","title":"plain","options":{},"weight":1}],
        "instances":[{"mood":1,"generated_at":"soon","global":[],"point_categories":{"step":"0.5","unit":"%"},
          "teams":{"1":{"answer_count":1.5,"average_points":"3.5","answer_percentages":[1,"x",null],
                        "breakdown":{"5":[1,true],"abc":[1]},"feeling":1},
                   "abc":{"answer_count":1},"2":null,"3":7}}]})");
    const auto& [document, collector] = decoded;
    ASSERT_EQ(collector.results.size(), 1U);
    const auto& team = collector.at(Scope::team, 1);
    EXPECT_EQ(team.answer_count, std::nullopt);
    EXPECT_EQ(team.average_points, 3.5);
    EXPECT_EQ(shown(team.question_average_points), "1,null,null");
    EXPECT_EQ(shown(team.breakdown), "5=1,-,");
    EXPECT_EQ(document.questions.at(0).id, 5);
    EXPECT_EQ(document.instances.at(0).point_step, 0.5);
    std::vector<std::string> noted;
    for (const auto& [pointer, kind, type] : document.drift) {
        noted.push_back((kind == Drift::Kind::unknown_field ? "+" : "!") + pointer + " " + type);
    }
    EXPECT_THAT(
        noted,
        ElementsAre("!/instances/*/generated_at string", "!/instances/*/global array", "+/instances/*/mood number",
                    "+/instances/*/point_categories/unit string", "+/instances/*/teams/* object",
                    "!/instances/*/teams/* number", "!/instances/*/teams/*/answer_count number",
                    "!/instances/*/teams/*/answer_percentages/* string", "+/instances/*/teams/*/breakdown/* array",
                    "!/instances/*/teams/*/breakdown/*/* boolean", "+/instances/*/teams/*/feeling number",
                    "+/new number", "!/questions/*/options object", "!/questions/*/title string",
                    "+/questions/*/weight number", "!/tags number", "!/teams/* number", "+/teams/*/colour string",
                    "!/teams/*/id string", "!/title number"));
}

TEST(EnergyLevels, has_no_results_of_tags) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::energy_levels, R"({"questions":[],"teams":[],"instances":[
        {"tags":{"1":{"answer_count":5}},"teams":{"1":{"tags":{"1":{"answer_count":5}}}}}]})");
    EXPECT_EQ(decoded.collector.results.size(), 1U);
    EXPECT_EQ(decoded.document.drift.size(), 2U);
}

TEST(SurveyDocument, takes_the_first_of_results_that_stand_twice) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report, R"({"teams":[],"tags":[],"questions":[],"instances":[
        {"organisation":{"answer_count":1},"organisation":{"answer_count":2},
         "teams":{"1":{"answer_count":1,"answer_count":2,"breakdown":{"5":[1],"4":[],"5":[2]}},"1":{"answer_count":3},
                  "1.0":{"answer_count":4}}}],
        "instances":[{"organisation":{"answer_count":9}}]})");
    ASSERT_EQ(decoded.collector.results.size(), 2U);
    EXPECT_EQ(decoded.collector.at(Scope::organisation).answer_count, 1);
    EXPECT_EQ(decoded.collector.at(Scope::team, 1).answer_count, 1);
    EXPECT_EQ(shown(decoded.collector.at(Scope::team, 1).breakdown), "4= 5=1,");
}

TEST(SurveyDocument, is_refused_without_its_questions_or_instances) {
    const std::map<std::string, std::string> failures{
        {"{}", "energy_levels: `questions` is missing"},
        {R"({"questions":[]})", "energy_levels: `instances` is missing"},
        {R"({"questions":null,"instances":[]})", "energy_levels: /questions: expected an array, found null"},
        {R"({"questions":[],"teams":[],"instances":null})", "energy_levels: /instances: expected an array, found null"},
        {R"({"instances":{},"questions":[]})", "energy_levels: /instances: expected an array, found object"},
        {R"({"questions":[],"teams":[],"instances":[7]})",
         "energy_levels: /instances/0: expected an object, found number"},
        {R"({"questions":[{"id":1},{}],"instances":[]})", "energy_levels: /questions/1: `id` is missing"},
        {R"({"questions":[{"id":true}],"instances":[]})",
         "energy_levels: /questions/0/id: expected an integer of 64 bits, found boolean"},
        {R"({"questions":[],"teams":[],"instances":[{"teams":{"17":{"answer_count":x}}}]})",
         "energy_levels: /instances/0/teams/*/answer_count: not JSON"},
        {"[]", "energy_levels: expected an object, found array"},
        {"<html>", "energy_levels: not JSON"},
        {"", "energy_levels: the document is empty"}};
    for (const auto& [text, failure] : failures) {
        EXPECT_EQ(failure_of(SurveyDocumentKind::energy_levels, text), failure) << text;
    }
}

TEST(SurveyDocument, fails_cleanly_wherever_it_is_cut) {
    const auto text = samples::report();
    for (std::size_t length = 1; length < text.size(); ++length) {
        EXPECT_THAT(failure_of(SurveyDocumentKind::report, text.substr(0, length)),
                    testing::AllOf(testing::StartsWith("report_data: "), testing::EndsWith("the document ends early")));
    }
}

TEST(SurveyDocument, survives_hostile_values_in_every_place) {
    const auto text = samples::report();
    for (const auto& value :
         {samples::repeated("[", 10'000) + samples::repeated("]", 10'000), std::string{"1e999999999"},
          samples::repeated("{\"1\":", 10'000) + "1" + samples::repeated("}", 10'000),
          '"' + std::string(100'000, 'x') + '"', std::string{"\"\\ud800\\u0000\xFF\""}, std::string(20'000, '9'),
          "[" + samples::repeated("1,", 20'000) + "1]"}) {
        for (std::size_t at = text.find(": "); at != std::string::npos; at = text.find(": ", at + 1)) {
            const auto end = text.find_first_of(",}\n", at);
            const auto failure =
                failure_of(SurveyDocumentKind::report, text.substr(0, at + 2) + value + text.substr(end));
            EXPECT_LT(failure.size(), 300U);
        }
    }
}

TEST(SurveyDocument, leaves_out_a_list_that_is_longer_than_any_real_one) {
    Decoded decoded;
    decode_into(decoded, SurveyDocumentKind::report,
                with_organisation_result(R"({"point_categories":[)" + samples::repeated("1,", 10'000) + "1]}"));
    EXPECT_FALSE(decoded.collector.at(Scope::organisation).point_categories);
    EXPECT_EQ(decoded.document.drift.at(0).json_pointer, "/instances/*/organisation/point_categories");
}

TEST(SurveyDocument, is_refused_with_a_breakdown_that_would_take_the_memory) {
    const auto with_questions = [](int count) {
        std::string breakdown;
        for (int question = 0; question < count; ++question) {
            breakdown += (question > 0 ? ",\"" : "\"") + std::to_string(question) + "\":[" +
                         samples::repeated("1,", 9'999) + "1]";
        }
        return with_organisation_result("{\"breakdown\":{" + breakdown + "}}");
    };
    EXPECT_EQ(failure_of(SurveyDocumentKind::report, with_questions(100)), "");
    EXPECT_EQ(failure_of(SurveyDocumentKind::report, with_questions(101)),
              "report_data: /instances/0/organisation/breakdown/*: more than 1000000 entries");
}

TEST(SurveyDocument, says_that_the_stored_bytes_are_damaged) {
    auto original = samples::original_of(samples::report());
    original.pieces[0].resize(original.pieces[0].size() / 2);
    Collector collector;
    EXPECT_THROW(decode_survey_document(SurveyDocumentKind::report, original, collector), std::runtime_error);
}

}  // namespace
}  // namespace heiasync::documents
