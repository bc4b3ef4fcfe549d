#pragma once

#include "documents/original.hpp"
#include "support/piecewise_source.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace heiasync::documents::samples {

using core::PiecewiseSource;

inline Original original_of(std::string_view text) {
    OriginalWriter writer;
    writer.write(text);
    return writer.finish();
}

inline std::string repeated(std::string_view text, std::size_t count) {
    std::string result;
    result.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) {
        result += text;
    }
    return result;
}

inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << "the sample has no " << what;
    return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

constexpr std::string_view access_token = R"({
  "access_token": "C6061FA11655417D9CEA90366054638F", "scope": "read_only_admin_api", "created_at": 1521446718,
  "token_type": "bearer"})";

constexpr std::string_view organisations = R"({
  "total": null,
  "items": [
    {"size_class": 10000, "id": 123, "name": "Demo company 1", "multi_business_id": true,
     "multi_business_ids": ["123123-1", "123123-2"], "su_access": false},
    {"size_class": 50, "id": 1234, "name": "Yhti\u00f6 2", "multi_business_id": false}
  ]})";

constexpr std::string_view usage_stats = R"({
  "usage": {
    "total_membership_count": 450, "hh_core_total_membership_count": 220, "hh_core_accepted_membership_count": 170,
    "app_use_count": 380314, "app_monthly_use_count": 314}})";

constexpr std::string_view reports = R"({
  "total": null,
  "items": [
    {"id": 708, "data_instance": {"id": "organisation_123_survey_key_1", "type": "OrganisationSurveyReportDataInstance"},
     "viewed": true, "sub_report": false, "first_viewed_at": "2018-03-14T16:22:20+02:00",
     "generated_at": "2018-03-14T16:22:20+02:00",
     "scheduled_survey": {
       "id": 172, "started_at": "2019-05-07T11:08:37Z", "ends_on": "2019-05-14", "closed": true,
       "title": "Survey title here", "survey": {"id": 215, "title": {"en": "Ty\u00f6vire"}},
       "enabled_questions": [9, 10, 27], "copy_questions": ["enps"]}},
    {"id": 709, "data_instance": {"id": "190faf_2fd79f", "type": "OrganisationSurveyReportDataInstance"},
     "viewed": true, "sub_report": true, "sub_report_business_id": "123123-1", "first_viewed_at": null,
     "generated_at": "2018-03-14T16:22:20.5Z", "scheduled_survey": null}
  ]})";

constexpr std::string_view question_list = R"([
    {"id": 185430, "title": {"en": "How are you?", "fi": "Mit\u00e4 kuuluu?"}, "description": {"en": "..."},
     "category": {"en": "Mood"}, "category_object": {"id": 526, "title": {"en": "Mood"}},
     "options": [{"id": "8430172", "points": 5, "title": {"en": "Well"}}, {"id": 8430173, "points": 1}],
     "custom": false, "enabled": true, "position": 0, "kind": "radio", "global_comparison_type": "mean"},
    {"id": 9, "title": {"en": "And work?"}, "category": null, "options": [], "position": 1, "enabled": true}
  ])";

constexpr std::string_view team_list = R"([
    {"id": 3205492853, "name": "Accounting", "avatar_url": "https://example.com/{size}.png", "description": "All",
     "managed": true, "include_in_team_tag_breakdown": null, "parent": {"id": 7, "name": "Everybody"}},
    {"id": 7, "name": "Everybody"}
  ])";

constexpr std::string_view organisation_result = R"({
        "participant_count": 79, "answer_count": 51, "average_points": 3.435,
        "answer_percentages": [2.8, null], "breakdown": {"185430": [7.5, 92.5], "9": [100, 0]},
        "point_categories": [0, 2.439, 97.561], "insufficient_data": false, "insufficient_data_reason": null})";

constexpr std::string_view suppressed_result = R"({
        "participant_count": 4, "answer_count": 2, "average_points": null, "answer_percentages": null,
        "breakdown": null, "point_categories": null, "insufficient_data": true,
        "insufficient_data_reason": "too_few_results"})";

inline std::string energy_levels() {
    return std::string{R"({"organisation": {"id": 123, "name": "Bahringer Inc", "business_id": "123123-1"},
  "questions": )"} +
           std::string{question_list} + R"(, "teams": )" + std::string{team_list} + R"(,
  "instances": [{
      "minimum_answer_count": 7,
      "global": {"average_points": 3.5, "answer_percentages": [3.1699, 4.25], "breakdown": {"9": [60, 40]}},
      "organisation": )" +
           std::string{organisation_result} + R"(,
      "teams": {"3205492853": )" +
           std::string{suppressed_result} + R"(, "53894821": )" + std::string{organisation_result} + "}}]}";
}

/// The parts of a report, so that tests can put them in another order.
inline std::string report_instances() {
    return std::string{R"("instances": [
    {"generated_at": "2019-05-21T11:10:59+00:00", "start_time": "2019-05-07T11:08:37Z", "ends_on": "2019-05-14",
     "minimum_answer_count": 5, "point_categories": {"minimum": 1, "maximum": 5, "step": 0.5},
     "global": null, "organisation": )"} +
           std::string{organisation_result} + R"(, "subgroup": null, "filtered_subgroup": null,
     "teams": {"7": {"participant_count": 30, "answer_count": 20, "average_points": 4, "insufficient_data": false,
                     "tags": {"472683": {"participant_count": 10, "answer_count": 9, "average_points": 2.5}}}},
     "filtered_teams": null, "tags": {"472683": )" +
           std::string{suppressed_result} + R"(},
     "open_questions": [{"question": "Why?", "answers": ["Because \"I\" say so", "\ud83d\ude00"]}],
     "similarities": [{"teams": [1, 2]}]},
    {"generated_at": "2018-05-21T11:10:59Z", "organisation": {"answer_count": "26"}}
  ])";
}

inline std::string report_names() {
    return R"("teams": )" + std::string{team_list} +
           R"(, "tags": [{"id": 472683, "name": "0-1 years", "include_in_team_tag_breakdown": true}])";
}

inline std::string report_questions() {
    return R"("questions": )" + std::string{question_list};
}

constexpr std::string_view report_head = R"("title": "Survey title", "sub_report": true,
  "report_business_id": "123123-1", "report_business_desc": "Description about sub company",
  "organisation": {"id": 265, "name": "Demo company 1"}, "survey": {"id": 215}, "explicit_team_ids": null,
  "explicit_tag_ids": null, "question_categories": [])";

constexpr std::string_view report_id = R"("id": "190faf097013a5ef2fccf3941c02e292de606743")";

inline std::string report() {
    return "{" + std::string{report_head} + ",\n" + report_names() + ",\n" + report_questions() + ",\n" +
           report_instances() + ",\n" + std::string{report_id} + "}";
}

}  // namespace heiasync::documents::samples
