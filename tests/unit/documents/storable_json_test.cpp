#include "documents/decode_error.hpp"
#include "documents/storable_writer.hpp"
#include "documents/survey_document.hpp"
#include "unit/documents/samples.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include <vector>

namespace heiasync::documents {
namespace {

using samples::repeated;
using testing::HasSubstr;
using testing::Not;

class PieceSink final : public core::ByteSink {
public:
    void restart() override {
        pieces.clear();
        ++restarts;
    }
    void write(std::string_view bytes) override { pieces.emplace_back(bytes); }

    [[nodiscard]] std::string text() const {
        std::string all;
        for (const auto& piece : pieces) {
            all += piece;
        }
        return all;
    }

    std::vector<std::string> pieces;
    int restarts = 0;
};

struct Stored {
    DocumentStatus status;
    std::string text;
};

Stored stored(std::string_view document, SurveyDocumentKind kind = SurveyDocumentKind::report) {
    PieceSink sink;
    const auto status = write_storable_json(kind, samples::original_of(document), sink);
    return {status, sink.text()};
}

std::string failure_of(std::string_view document) {
    try {
        stored(document);
    } catch (const DecodeError& error) {
        return error.what();
    }
    return "";
}

rapidjson::Document parsed(const std::string& text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag |
                   rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
    EXPECT_FALSE(document.HasParseError()) << text.substr(0, 200);
    return document;
}

TEST(StorableJson, says_the_same_as_the_document) {
    const auto [status, text] = stored(samples::energy_levels(), SurveyDocumentKind::energy_levels);
    EXPECT_EQ(status, DocumentStatus::stored);
    EXPECT_TRUE(parsed(text) == parsed(samples::energy_levels()));
}

TEST(StorableJson, lacks_the_id_of_a_report_and_nothing_else) {
    const auto [status, text] = stored(samples::report());
    EXPECT_EQ(status, DocumentStatus::stored);
    EXPECT_THAT(text, Not(HasSubstr("190faf097013a5ef2fccf3941c02e292de606743")));
    auto expected = parsed(samples::report());
    expected.RemoveMember("id");
    EXPECT_TRUE(parsed(text) == expected);
}

TEST(StorableJson, lacks_the_id_of_a_report_however_it_is_written) {
    for (const auto* document : {R"({"id":"secret","a":{"id":1}})", R"({"a":{"id":1},"id":"secret"})",
                                 R"({"\u0069d":"secret","a":{"id":1},"id":{"deep":"secret"}})"}) {
        EXPECT_EQ(stored(document).text, R"({"a":{"id":1}})");
    }
    EXPECT_EQ(stored(R"({"id":"x"})").text, "{}");
    EXPECT_EQ(stored(R"({"id":"x"})", SurveyDocumentKind::energy_levels).text, R"({"id":"x"})");
}

TEST(StorableJson, hides_the_values_of_a_group_whose_data_is_insufficient) {
    const auto group = [](std::string_view flag, std::string_view values = R"("average_points":3.5)") {
        return stored(fmt::format(R"({{"x":{{{},"answer_count":2,{}}}}})", values, flag)).text;
    };
    const std::string hidden = R"({"x":{"average_points":null,"answer_count":2,)";
    const std::string shown = R"({"x":{"average_points":3.5,"answer_count":2,)";
    EXPECT_EQ(group(R"("insufficient_data":true)"), hidden + R"("insufficient_data":true}})");
    EXPECT_EQ(group(R"("insufficient_data":"yes")"), hidden + R"("insufficient_data":"yes"}})");
    EXPECT_EQ(group(R"("insufficient_data_reason":"too_similar")"),
              hidden + R"("insufficient_data_reason":"too_similar"}})");
    EXPECT_EQ(group(R"("insufficient_data":false,"insufficient_data_reason":"x")"),
              shown + R"("insufficient_data":false,"insufficient_data_reason":"x"}})");
    EXPECT_EQ(group(R"("insufficient_data":null)"), shown + R"("insufficient_data":null}})");
    EXPECT_EQ(group(R"("insufficient_data":true)",
                    R"("point_categories":[1,2],"answer_percentages":[3],"breakdown":{"9":[60,40]},"other":5)"),
              R"({"x":{"point_categories":null,"answer_percentages":null,"breakdown":null,"other":5,"answer_count":2,)"
              R"("insufficient_data":true}})");
}

TEST(StorableJson, hides_values_in_whatever_order_groups_stand_and_says_so) {
    const auto hidden =
        stored(R"({"t":{"1":{"tags":{"2":{"average_points":1,"insufficient_data":true},"3":{"average_points":2}},)"
               R"("insufficient_data":true,"breakdown":{"9":[4]}},"4":{"average_points":5}}})");
    EXPECT_EQ(hidden.text,
              R"({"t":{"1":{"tags":{"2":{"average_points":null,"insufficient_data":true},"3":{"average_points":2}},)"
              R"("insufficient_data":true,"breakdown":null},"4":{"average_points":5}}})");
    EXPECT_EQ(hidden.status, DocumentStatus::sanitised);
    EXPECT_EQ(stored(samples::report()).status, DocumentStatus::stored) << "the server suppresses them itself";
}

TEST(StorableJson, hides_the_values_of_a_group_inside_of_a_value) {
    const std::string inner = R"({"1":[{"insufficient_data":true,"average_points":2,"breakdown":[[3]]},4]})";
    EXPECT_EQ(
        stored(R"({"average_points":3,"breakdown":)" + inner + "}").text,
        R"({"average_points":3,"breakdown":{"1":[{"insufficient_data":true,"average_points":null,"breakdown":null},4]}})");
    EXPECT_EQ(stored(R"({"insufficient_data":true,"average_points":3,"breakdown":)" + inner + R"(,"x":1})").text,
              R"({"insufficient_data":true,"average_points":null,"breakdown":null,"x":1})");
}

TEST(StorableJson, keeps_numbers_as_they_are_written) {
    constexpr auto text = R"({"a":[0,-0.0,1.50,3.1699,1e400,123456789012345678901234567890,1E-5]})";
    EXPECT_EQ(stored(text).text, text);
    EXPECT_EQ(stored(text).status, DocumentStatus::stored);
}

TEST(StorableJson, replaces_numbers_that_numeric_cannot_hold) {
    const auto [status, text] =
        stored(R"({"a":[1e131071,1e131072,1e-16383,1e-16384,)" + std::string(131'073, '9') + "]}");
    EXPECT_EQ(status, DocumentStatus::sanitised);
    EXPECT_EQ(text, R"({"a":[1e131071,null,1e-16383,null,null]})");
}

TEST(StorableJson, replaces_characters_that_text_cannot_hold) {
    for (const auto* document : {"{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\ud800y\"}", "{\"a\":\"x\xFFy\"}"}) {
        const auto [status, text] = stored(document);
        EXPECT_EQ(status, DocumentStatus::sanitised) << document;
        EXPECT_EQ(text, "{\"a\":\"x\xEF\xBF\xBDy\"}") << document;
    }
    EXPECT_EQ(stored("{\"a\\u0000\":1}").text, "{\"a\xEF\xBF\xBD\":1}");
    EXPECT_EQ(stored("{\"a\\u0000\":1}").status, DocumentStatus::sanitised);
}

TEST(StorableJson, escapes_what_has_to_be) {
    const auto [status, text] = stored(R"({"q\"\\\n":"\"\\\/\b\f\n\r\t\u001f\u007f\u00e4\ud83d\ude00"})");
    EXPECT_EQ(status, DocumentStatus::stored);
    EXPECT_EQ(
        text,
        "{\"q\\\"\\\\\\u000a\":\"\\\"\\\\/\\u0008\\u000c\\u000a\\u000d\\u0009\\u001f\x7f\xC3\xA4\xF0\x9F\x98\x80\"}");
}

TEST(StorableJson, replaces_what_is_nested_too_deeply) {
    const auto deep = [](std::size_t levels) {
        return "{\"a\":" + repeated("[", levels) + repeated("]", levels) + ",\"b\":1}";
    };
    EXPECT_EQ(stored(deep(999)).text, deep(999));
    EXPECT_EQ(stored(deep(999)).status, DocumentStatus::stored);
    const auto [status, text] = stored(deep(10'000));
    EXPECT_EQ(status, DocumentStatus::sanitised);
    EXPECT_EQ(text, "{\"a\":" + repeated("[", 999) + "null" + repeated("]", 999) + ",\"b\":1}");
}

TEST(StorableJson, comes_in_pieces_that_end_between_two_characters) {
    const auto document =
        "{\"a\":[\"" + repeated("\xF0\x9F\x98\x80\xC3\xA4", 100'000) + "\",\"" + repeated("\\u20ac", 100'000) + "\"]}";
    for (std::size_t shift = 0; shift < 8; ++shift) {
        PieceSink sink;
        write_storable_json(SurveyDocumentKind::report, samples::original_of(std::string(shift, ' ') + document), sink);
        EXPECT_GT(sink.pieces.size(), 10U);
        for (const auto& piece : sink.pieces) {
            EXPECT_LE(piece.size(), 200'000U);
            EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xC0U, 0x80U);
        }
        EXPECT_EQ(sink.text(), "{\"a\":[\"" + repeated("\xF0\x9F\x98\x80\xC3\xA4", 100'000) + "\",\"" +
                                   repeated("\xE2\x82\xAC", 100'000) + "\"]}");
    }
}

TEST(StorableJson, is_the_same_wherever_the_inflated_pieces_end) {
    const auto text = samples::report();
    const auto expected = stored(text).text;
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        ASSERT_EQ(stored(std::string(65'536 - begin, ' ') + text).text, expected) << begin;
    }
}

TEST(StorableJson, is_given_up_where_jsonb_could_not_hold_it) {
    for (const auto& document :
         {"{\"a\":\"" + std::string(268'435'456, 'x') + "\"}", "{\"a\":[" + repeated("1,", 8'000'000) + "1]}"}) {
        PieceSink sink;
        EXPECT_EQ(write_storable_json(SurveyDocumentKind::report, samples::original_of(document), sink),
                  DocumentStatus::too_large);
        EXPECT_EQ(sink.restarts, 1);
        EXPECT_EQ(sink.text(), "");
    }
}

TEST(StorableJson, is_no_document_that_is_no_object) {
    EXPECT_EQ(failure_of("[]"), "report_data: expected an object");
    EXPECT_EQ(failure_of("<html>"), "report_data: not JSON");
    EXPECT_EQ(failure_of(""), "report_data: the document is empty");
    EXPECT_EQ(failure_of("{} x"), "report_data: something follows the document");
    EXPECT_EQ(failure_of(R"({"open":{"secret":[1,}]})"), "report_data: /open/*/1: not JSON");
}

}  // namespace
}  // namespace heiasync::documents
