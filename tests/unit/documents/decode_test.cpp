#include "documents/decode.hpp"

#include "unit/documents/samples.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace heiasync::documents {
namespace {

using samples::PiecewiseSource;
using samples::replaced;
using testing::ElementsAre;
using testing::IsEmpty;

template <class Result>
Result decoded(Result (*decode)(core::ByteSource&), std::string_view text) {
    core::StringSource source{text};
    return decode(source);
}

Page<Organisation> organisations(std::string_view text) {
    return decoded(decode_organisations, text);
}
Page<Report> reports(std::string_view text) {
    return decoded(decode_reports, text);
}
DecodedUsageStats stats(std::string_view text) {
    return decoded(decode_usage_stats, text);
}
AccessToken token(std::string_view text) {
    return decoded(decode_access_token, text);
}

Page<Organisation> organisation(std::string_view item) {
    return organisations(R"({"items":[)" + std::string{item} + "]}");
}
Page<Report> report(std::string_view item) {
    return reports(R"({"items":[)" + std::string{item} + "]}");
}

Organisation named(std::int64_t id, std::string name) {
    Organisation organisation;
    organisation.id = id;
    organisation.name = std::move(name);
    return organisation;
}

std::string failure_of(const std::function<void()>& decode) {
    try {
        decode();
    } catch (const DecodeError& error) {
        return error.what();
    }
    return "";
}

Drift unknown(std::string pointer, std::string type) {
    return {std::move(pointer), Drift::Kind::unknown_field, std::move(type)};
}
Drift other(std::string pointer, std::string type) {
    return {std::move(pointer), Drift::Kind::other_type, std::move(type)};
}

TEST(DecodeAccessToken, reads_the_documented_answer) {
    const auto answer = token(samples::access_token);
    EXPECT_EQ(answer.token.reveal(), "C6061FA11655417D9CEA90366054638F");
    EXPECT_EQ(answer.scope, "read_only_admin_api");
    EXPECT_EQ(core::format_instant(answer.created_at.value()), "2018-03-19T08:05:18Z");
}

TEST(DecodeAccessToken, needs_only_the_token) {
    EXPECT_EQ(token(R"({"access_token":"a","created_at":"2018-03-19T08:05:18Z","x":1})").created_at,
              core::parse_instant("2018-03-19T08:05:18Z"));
    EXPECT_FALSE(token(R"({"access_token":"a","created_at":99999999999999,"scope":7})").created_at);
    EXPECT_FALSE(token(R"({"access_token":"a","created_at":-5})").created_at);
}

TEST(DecodeAccessToken, refuses_an_answer_without_a_usable_token) {
    EXPECT_EQ(failure_of([] { token("{}"); }), "access_token: `access_token` is missing");
    EXPECT_EQ(failure_of([] { token(R"({"access_token":null})"); }),
              "access_token: /access_token: expected a string, found null");
    EXPECT_EQ(failure_of([] { token(R"({"access_token":""})"); }), "access_token: /access_token: is empty");
    EXPECT_EQ(failure_of([] { token(R"({"access_token":"a\r\nX-Injected: 1"})"); }),
              "access_token: /access_token: holds characters that no token has");
}

TEST(DecodeOrganisations, reads_the_documented_answer) {
    const auto page = organisations(samples::organisations);
    EXPECT_THAT(page.items,
                ElementsAre(Organisation{123, "Demo company 1", 10000, true, {"123123-1", "123123-2"}, false},
                            Organisation{1234, "Yhti\xC3\xB6 2", 50, false, {}, std::nullopt}));
    EXPECT_EQ(page.raw_count, 2U);
    EXPECT_THAT(page.rejected, IsEmpty());
    EXPECT_THAT(page.drift, IsEmpty());
}

TEST(DecodeOrganisations, knows_the_fields_of_the_full_organisation) {
    const auto page = organisation(R"({"id":1,"name":"A","total_membership_count":36,
        "hh_core_total_membership_count":"26","hh_core_accepted_membership_count":"22","feature_tags":[],
        "business_id":"1-1","company_code":"2"})");
    EXPECT_THAT(page.items, ElementsAre(named(1, "A")));
    EXPECT_THAT(page.drift, IsEmpty());
}

TEST(DecodeOrganisations, takes_integers_as_strings_and_floats) {
    const auto page = organisation(R"({"id":"1","name":"A","size_class":50.0})");
    EXPECT_EQ(page.items.at(0).id, 1);
    EXPECT_EQ(page.items.at(0).size_class, 50);
    EXPECT_THAT(page.drift, IsEmpty());
}

TEST(DecodeOrganisations, keeps_each_business_id_once_under_either_name) {
    const auto page =
        organisation(R"({"id":1,"name":"A","business_ids":["b","","a","b",null],"multi_business_ids":["a","c"]})");
    EXPECT_THAT(page.items.at(0).business_ids, ElementsAre("b", "a", "c"));
    EXPECT_FALSE(page.items.at(0).multi_business_id);
    EXPECT_THAT(page.drift, IsEmpty());
}

TEST(DecodeOrganisations, drops_business_ids_that_could_not_be_stored_or_asked_for) {
    const auto page = organisation(R"({"id":1,"name":"A","multi_business_ids":["a\u0000","ok",7,")" +
                                   std::string(256, 'x') + R"(",")" + std::string(255, 'y') + "\"]}");
    EXPECT_THAT(page.items.at(0).business_ids, ElementsAre("ok", std::string(255, 'y')));
    EXPECT_THAT(page.drift, ElementsAre(other("/items/*/multi_business_ids/*", "number"),
                                        other("/items/*/multi_business_ids/*", "string")));
}

TEST(DecodeOrganisations, notes_what_is_new_or_of_another_type_once) {
    const auto page = organisations(R"({"items":[
        {"id":1,"name":"A","colour":"red","size_class":"big","su_access":"yes","multi_business_ids":"x","multi_business_id":null},
        {"id":2,"name":"B","colour":"blue","size_class":1.5}], "page": 1})");
    EXPECT_THAT(page.items, ElementsAre(named(1, "A"), named(2, "B")));
    EXPECT_THAT(page.drift,
                ElementsAre(unknown("/items/*/colour", "string"), other("/items/*/multi_business_ids", "string"),
                            other("/items/*/size_class", "number"), other("/items/*/size_class", "string"),
                            other("/items/*/su_access", "string"), unknown("/page", "number")));
}

TEST(DecodeOrganisations, rejects_an_item_without_a_usable_key_and_goes_on) {
    const auto page = organisations(R"({"items":[{"name":"A"},{"id":2},{"id":"x","name":"A"},{"id":4,"name":null},null,
        {"id":9223372036854775808,"name":"A"},{"id":1.5,"name":""},{"id":7,"name":"kept"}]})");
    EXPECT_EQ(page.raw_count, 8U);
    EXPECT_THAT(page.items, ElementsAre(named(7, "kept")));
    std::vector<std::string> reasons;
    for (const auto& error : page.rejected) {
        reasons.emplace_back(error.what());
    }
    EXPECT_THAT(reasons,
                ElementsAre("organisations: /items/0: `id` is missing", "organisations: /items/1: `name` is missing",
                            "organisations: /items/2/id: expected an integer of 64 bits, found string",
                            "organisations: /items/3/name: expected a string, found null",
                            "organisations: /items/4: expected an object, found null",
                            "organisations: /items/5/id: expected an integer of 64 bits, found number",
                            "organisations: /items/6/id: expected an integer of 64 bits, found number"));
}

TEST(DecodeOrganisations, never_takes_missing_items_for_an_empty_list) {
    EXPECT_THAT(organisations(R"({"items":[]})").items, IsEmpty());
    EXPECT_EQ(failure_of([] { organisations("{}"); }), "organisations: `items` is missing");
    EXPECT_EQ(failure_of([] { organisations(R"({"items":null})"); }),
              "organisations: /items: expected an array, found null");
    EXPECT_EQ(failure_of([] { organisations(R"({"items":{}})"); }),
              "organisations: /items: expected an array, found object");
    EXPECT_EQ(failure_of([] { organisations("[]"); }), "organisations: expected an object, found array");
    EXPECT_EQ(failure_of([] { organisations(R"({"error":"x"})"); }), "organisations: `items` is missing");
}

TEST(DecodeOrganisations, takes_the_first_of_members_that_stand_twice) {
    const auto page = organisations(R"({"items":[{"id":1,"id":2,"name":"A","name":"B"}],"items":[]})");
    EXPECT_THAT(page.items, ElementsAre(named(1, "A")));
}

TEST(DecodeOrganisations, stores_no_text_that_postgresql_cannot_hold) {
    const auto page = organisation("{\"id\":1,\"name\":\"a\\u0000\\ud800\xFF\"}");
    EXPECT_EQ(page.items.at(0).name, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(DecodeOrganisations, never_shows_content) {
    const auto page =
        organisation(R"({"id":"secret-id","name":"A","secret\nname)" + std::string(100, 'x') + R"(":1,"12345":2})");
    EXPECT_THAT(page.rejected.at(0).what(), testing::Not(testing::HasSubstr("secret-id")));
    EXPECT_THAT(page.drift, ElementsAre(unknown("/items/*/*", "number"),
                                        unknown("/items/*/secret_name" + std::string(53, 'x'), "number")));
}

TEST(DecodeOrganisations, keeps_a_bounded_number_of_drifts_and_rejections) {
    std::string items;
    for (int i = 0; i < 2'000; ++i) {
        items += R"({"id":null,"name":"A","new_)" + std::to_string(i) + R"(":1},)";
    }
    const auto page = organisation(items + R"({"id":1,"name":"A"})");
    EXPECT_EQ(page.raw_count, 2'001U);
    EXPECT_EQ(page.rejected.size(), 1'000U);
    EXPECT_EQ(page.drift.size(), 200U);
    EXPECT_EQ(page.items.size(), 1U);
}

TEST(DecodeReports, reads_the_documented_answer) {
    const auto page = reports(samples::reports);
    ASSERT_EQ(page.items.size(), 2U);
    const auto& main = page.items[0];
    EXPECT_EQ(main.id, 708);
    EXPECT_EQ(main.data_instance_id.reveal(), "organisation_123_survey_key_1");
    EXPECT_TRUE(main.viewed);
    EXPECT_FALSE(main.sub_report);
    EXPECT_EQ(main.business_id, "");
    EXPECT_EQ(core::format_instant(main.first_viewed_at.value()), "2018-03-14T14:22:20Z");
    EXPECT_EQ(core::format_instant(main.generated_at.value()), "2018-03-14T14:22:20Z");
    EXPECT_EQ(main.scheduled_survey_id, 172);
    EXPECT_EQ(main.scheduled_survey_title, "Survey title here");
    EXPECT_EQ(core::format_instant(main.started_at.value()), "2019-05-07T11:08:37Z");
    EXPECT_EQ(core::format_date(main.ends_on.value()), "2019-05-14");
    EXPECT_EQ(main.closed, true);
    EXPECT_EQ(main.survey_id, 215);
    EXPECT_EQ(main.survey_title, "{\"en\":\"Ty\xC3\xB6vire\"}");
    EXPECT_THAT(main.enabled_questions, ElementsAre(9, 10, 27));
    EXPECT_THAT(main.copy_questions, ElementsAre("enps"));
    EXPECT_TRUE(main.ready());

    const auto& sub = page.items[1];
    EXPECT_EQ(sub.id, 709);
    EXPECT_TRUE(sub.sub_report);
    EXPECT_EQ(sub.business_id, "123123-1");
    EXPECT_FALSE(sub.first_viewed_at);
    EXPECT_EQ(core::format_instant(sub.generated_at.value()), "2018-03-14T16:22:20.500000Z");
    EXPECT_FALSE(sub.scheduled_survey_id);
    EXPECT_THAT(page.drift, IsEmpty());
    EXPECT_THAT(page.rejected, IsEmpty());
}

TEST(DecodeReports, gives_a_report_that_is_not_ready) {
    const auto page = reports(R"({"items":[{"id":1},{"id":2,"data_instance":null,"viewed":true,"generated_at":null},
        {"id":3,"data_instance":{"id":null},"viewed":null,"generated_at":"2018-03-14T16:22:20Z"}]})");
    ASSERT_EQ(page.items.size(), 3U);
    for (const auto& item : page.items) {
        EXPECT_FALSE(item.ready());
    }
    EXPECT_THAT(page.drift, IsEmpty());
}

TEST(DecodeReports, notes_ill_typed_fields_and_leaves_them_out) {
    const auto page = report(R"({"id":1,"data_instance":{"kind":"x"},
        "first_viewed_at":1521446718,"scheduled_survey":{"ends_on":"2019-02-30","survey":{"title":"plain"},
        "enabled_questions":[1,"2",null,{}],"copy_questions":{}}})");
    const auto& item = page.items.at(0);
    EXPECT_FALSE(item.viewed);
    EXPECT_TRUE(item.data_instance_id.empty());
    EXPECT_FALSE(item.generated_at);
    EXPECT_FALSE(item.ends_on);
    EXPECT_FALSE(item.survey_title);
    EXPECT_THAT(item.enabled_questions, ElementsAre(1, 2));
    EXPECT_THAT(page.drift, ElementsAre(unknown("/items/*/data_instance/kind", "string"),
                                        other("/items/*/first_viewed_at", "number"),
                                        other("/items/*/scheduled_survey/copy_questions", "object"),
                                        other("/items/*/scheduled_survey/enabled_questions/*", "object"),
                                        other("/items/*/scheduled_survey/ends_on", "string"),
                                        other("/items/*/scheduled_survey/survey/title", "string")));
}

TEST(DecodeReports, rejects_an_item_that_cannot_be_told_from_one_that_is_not_ready) {
    for (const auto* unreadable : {R"("viewed":1)", R"("viewed":"true")", R"("generated_at":"yesterday")",
                                   R"("generated_at":"2026-05-01T00:00:00")", R"("data_instance":{"id":5})"}) {
        const auto page = report(fmt::format(R"({{"id":1,{}}})", unreadable));
        EXPECT_THAT(page.items, IsEmpty()) << unreadable;
        EXPECT_EQ(page.rejected.size(), 1U) << unreadable;
    }
}

TEST(DecodeReports, takes_no_sub_report_for_the_whole_organisation) {
    EXPECT_EQ(report(R"({"id":1,"sub_report_business_id":null})").items.at(0).business_id, "");
    EXPECT_EQ(report(R"({"id":1,"sub_report_business_id":""})").items.at(0).business_id, "");
    const auto page = report(R"({"id":1,"sub_report_business_id":17})");
    EXPECT_THAT(page.items, IsEmpty());
    EXPECT_STREQ(page.rejected.at(0).what(), "reports: /items/0/sub_report_business_id: expected a business id");
}

TEST(DecodeUsageStats, reads_both_published_shapes) {
    UsageStats expected{450, 220, 170, 380314, 314};
    const auto wrapped = stats(samples::usage_stats);
    EXPECT_EQ(wrapped.stats.total_membership_count, 450);
    EXPECT_EQ(wrapped.stats.hh_core_total_membership_count, 220);
    EXPECT_EQ(wrapped.stats.hh_core_accepted_membership_count, 170);
    EXPECT_EQ(wrapped.stats.app_use_count, 380314);
    EXPECT_EQ(wrapped.stats.app_monthly_use_count, 314);
    EXPECT_EQ(wrapped.stats.extra, "{}");
    EXPECT_THAT(wrapped.drift, IsEmpty());

    std::string bare{samples::usage_stats};
    bare = replaced(bare, "{\n  \"usage\": ", "");
    bare.pop_back();
    EXPECT_EQ(stats(bare).stats.app_use_count, 380314);
    EXPECT_EQ(stats(bare).stats.app_monthly_use_count, 314);
}

TEST(DecodeUsageStats, knows_null_from_zero) {
    const auto answer = stats(R"({"app_use_count":null,"total_membership_count":0,"app_monthly_use_count":"26",
                                  "hh_core_total_membership_count":26.0,"hh_core_accepted_membership_count":{}})");
    EXPECT_EQ(answer.stats.app_use_count, std::nullopt);
    EXPECT_EQ(answer.stats.total_membership_count, 0);
    EXPECT_EQ(answer.stats.app_monthly_use_count, 26);
    EXPECT_EQ(answer.stats.hh_core_total_membership_count, 26);
    EXPECT_EQ(answer.stats.hh_core_accepted_membership_count, std::nullopt);
    EXPECT_THAT(answer.drift, ElementsAre(other("/hh_core_accepted_membership_count", "object")));
}

TEST(DecodeUsageStats, keeps_what_it_does_not_know_in_a_storable_form) {
    const auto answer =
        stats(R"({"a":1e400,"usage":{"app_use_count":2,"web\u0000\"":[1.50,{"x":"\ud800"}],"n":1e200000}})");
    EXPECT_EQ(answer.stats.extra, "{\"a\":1e400,\"web\xEF\xBF\xBD\\\"\":[1.50,{\"x\":\"\xEF\xBF\xBD\"}],\"n\":null}");
    EXPECT_THAT(answer.drift, ElementsAre(unknown("/a", "number"), unknown("/usage/n", "number"),
                                          unknown("/usage/web___\"", "array")));
}

TEST(DecodeUsageStats, refuses_an_answer_without_a_single_figure) {
    for (const auto* text : {"{}", R"({"usage":{}})", R"({"usage":{"total":1}})", R"({"message":"maintenance"})"}) {
        EXPECT_EQ(failure_of([text] { stats(text); }), "usage_stats: none of the figures that we know") << text;
    }
    EXPECT_EQ(failure_of([] { stats(R"({"usage":null})"); }), "usage_stats: /usage: expected an object, found null");
    EXPECT_EQ(failure_of([] { stats("null"); }), "usage_stats: expected an object, found null");
}

TEST(DecodeFailure, gives_the_code_and_nothing_else) {
    EXPECT_EQ(decode_failure(R"({"error":"no_org_access","error_description":"text"})").code, "no_org_access");
    EXPECT_EQ(decode_failure(R"({"error":"invalid_param: jane@example.com"})").code, "invalid_param");
}

TEST(DecodeFailure, has_no_code_for_any_other_body) {
    for (const auto* text : {"", "<html>", "[]", "{}", R"({"error":null})", R"({"error":{"code":"x"}})",
                             R"({"error":"x"} y)", R"({"error":"x")", R"({"error":"Internal Server Error"})",
                             "\"error\"", "\xFF", R"({"error":"organisation_115_survey_key_7"})"}) {
        EXPECT_EQ(decode_failure(text).code, "") << text;
    }
}

/// One decoder and a text that it takes, results thrown away.
struct Case {
    std::string name;
    std::string text;
    std::function<void(core::ByteSource&)> decode;
};

std::vector<Case> cases() {
    return {
        {"access_token", std::string{samples::access_token}, [](auto& source) { (void)decode_access_token(source); }},
        {"organisations", std::string{samples::organisations},
         [](auto& source) { (void)decode_organisations(source); }},
        {"reports", std::string{samples::reports}, [](auto& source) { (void)decode_reports(source); }},
        {"usage_stats", std::string{samples::usage_stats}, [](auto& source) { (void)decode_usage_stats(source); }}};
}

TEST(Decode, fails_cleanly_wherever_an_answer_is_cut) {
    for (const auto& [name, text, decode] : cases()) {
        for (std::size_t length = 0; length < text.size(); ++length) {
            core::StringSource source{std::string_view{text}.substr(0, length)};
            const auto failure = failure_of([&] { decode(source); });
            EXPECT_THAT(failure, testing::AllOf(testing::StartsWith(name + ": "),
                                                testing::EndsWith(length == 0 ? "the document is empty"
                                                                              : "the document ends early")))
                << length;
        }
    }
}

TEST(Decode, refuses_html_and_trailing_garbage) {
    for (const auto& [name, text, decode] : cases()) {
        core::StringSource html{"<!DOCTYPE html><html></html>"};
        EXPECT_EQ(failure_of([&] { decode(html); }), name + ": not JSON");
        const auto twice = text + text;
        core::StringSource source{twice};
        EXPECT_EQ(failure_of([&] { decode(source); }), name + ": something follows the document");
    }
}

TEST(Decode, survives_hostile_values_in_every_place) {
    const std::vector<std::string> hostile{samples::repeated("[", 10'000) + samples::repeated("]", 10'000),
                                           '"' + std::string(5'000'000, 'x') + '"',
                                           "1e999999999",
                                           "-0",
                                           std::string(100'000, '9'),
                                           "\"\\ud800\\u0000\xFF\"",
                                           "{\"a\":{\"a\":[]}}"};
    for (const auto& [name, text, decode] : cases()) {
        for (std::size_t at = text.find(": "); at != std::string::npos; at = text.find(": ", at + 1)) {
            const auto end = text.find_first_of(",}\n", at);
            for (const auto& value : hostile) {
                const auto mutated = text.substr(0, at + 2) + value + text.substr(end);
                PiecewiseSource source{mutated, 65'536};
                EXPECT_LT(failure_of([&] { decode(source); }).size(), 300U);
            }
        }
    }
}

TEST(Decode, gives_the_same_whatever_the_pieces) {
    const auto whole = organisations(samples::organisations);
    for (const std::size_t size : {1U, 2U, 3U, 17U}) {
        PiecewiseSource organisations_source{samples::organisations, size};
        EXPECT_EQ(decode_organisations(organisations_source).items, whole.items);
        PiecewiseSource reports_source{samples::reports, size};
        EXPECT_EQ(decode_reports(reports_source).items.at(1).business_id, "123123-1");
        PiecewiseSource stats_source{samples::usage_stats, size};
        EXPECT_EQ(decode_usage_stats(stats_source).stats.app_use_count, 380314);
    }
}

}  // namespace
}  // namespace heiasync::documents
