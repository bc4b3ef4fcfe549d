#include "documents/open_answers.hpp"

#include "documents/decode_error.hpp"
#include "unit/documents/samples.hpp"

#include <gmock/gmock.h>

#include <string>
#include <string_view>

namespace heiasync::documents {
namespace {

using samples::original_of;

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(const Original& original) {
    OriginalReader reader{original};
    std::string text;
    for (auto piece = reader.read(); !piece.empty(); piece = reader.read()) {
        text += piece;
    }
    return text;
}

/// The text without its open answers; the text itself where none were found.
std::string rest_of(std::string_view text) {
    const auto rest = without_open_answers("report_data", original_of(text));
    return rest ? text_of(*rest) : std::string{text};
}

TEST(OpenAnswers, give_way_to_null_and_all_other_bytes_stay) {
    EXPECT_EQ(rest_of(R"({ "a" : 1.50, "instances":[ {"open_questions" : [{"text":"no"}] , "b":"\u00e9"}]})"),
              R"({ "a" : 1.50, "instances":[ {"open_questions" : null , "b":"\u00e9"}]})");
}

TEST(OpenAnswers, are_found_at_any_depth_and_more_than_once) {
    EXPECT_EQ(rest_of(R"({"open_questions":"a","teams":{"1":{"open_questions":{"x":[1,2]}}},"open_questions":true})"),
              R"({"open_questions":null,"teams":{"1":{"open_questions":null}},"open_questions":null})");
    EXPECT_EQ(rest_of(R"([[{"open_questions":[["deep"]]}]])"), R"([[{"open_questions":null}]])");
}

TEST(OpenAnswers, are_found_where_the_name_is_escaped) {
    EXPECT_EQ(rest_of(R"({"\u006fpen_questions":["a"]})"), R"({"\u006fpen_questions":null})");
}

TEST(OpenAnswers, go_with_the_open_questions_inside_of_them) {
    EXPECT_EQ(rest_of(R"({"open_questions":[{"open_questions":[1],"answers":["}","]"]}],"z":0})"),
              R"({"open_questions":null,"z":0})");
}

TEST(OpenAnswers, are_none_where_nothing_was_written) {
    for (const char* text : {R"({"open_questions":null})", R"({"open_questions":[ ]})", R"({"open_questions":{}})",
                             R"({"other":["open_questions"]})", "{}", "[]", R"("open_questions")"}) {
        EXPECT_FALSE(without_open_answers("report_data", original_of(text))) << text;
    }
}

TEST(OpenAnswers, are_found_across_the_pieces_of_a_long_document) {
    const std::string answers = R"([")" + std::string(300'000, 'w') + R"("])";
    const std::string filler = R"("filler":")" + std::string(200'001, 'f') + '"';
    const std::string head = "{" + filler + R"(,"open_questions":)";
    const std::string tail = "," + filler + "}";
    const auto rest = without_open_answers("report_data", original_of(head + answers + tail));
    ASSERT_TRUE(rest);
    EXPECT_EQ(text_of(*rest), head + "null" + tail);
}

TEST(OpenAnswers, leave_a_document_that_is_whole_and_says_that_it_is_not_exact) {
    const Original original = original_of(samples::report());
    ASSERT_TRUE(original.exact);
    const auto rest = without_open_answers("report_data", original);
    ASSERT_TRUE(rest);
    EXPECT_FALSE(rest->exact);
    EXPECT_NO_THROW(verify(*rest));
    EXPECT_LT(rest->size, original.size);
    EXPECT_THAT(text_of(original), HasSubstr("Because"));
    EXPECT_THAT(text_of(*rest), Not(HasSubstr("Because")));
    EXPECT_FALSE(without_open_answers("report_data", *rest)) << "nothing is left to be taken out";
}

TEST(OpenAnswers, of_what_is_no_JSON_are_an_error_that_quotes_nothing) {
    try {
        without_open_answers("report_data", original_of(R"({"open_questions":["my own words)"));
        FAIL();
    } catch (const DecodeError& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr("my own words")));
        EXPECT_EQ(error.operation(), "report_data");
    }
}

}  // namespace
}  // namespace heiasync::documents
