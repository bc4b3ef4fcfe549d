#include "documents/cursor.hpp"

#include "unit/documents/samples.hpp"

#include <gmock/gmock.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>

#include <array>
#include <cstdio>
#include <random>
#include <vector>

namespace heiasync::documents {
namespace {

using samples::PiecewiseSource;
using samples::repeated;

/// All that a document says, as one line: what two readers are compared by.
class Trace {
public:
    bool Null() { return add("null"); }
    bool Bool(bool value) { return add(value ? "true" : "false"); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return add("#" + std::string{text, length}); }
    bool String(const char* text, rapidjson::SizeType length, bool) { return add("'" + std::string{text, length}); }
    bool StartObject() { return add("{"); }
    bool Key(const char* text, rapidjson::SizeType length, bool) { return add("." + std::string{text, length}); }
    bool EndObject(rapidjson::SizeType) { return add("}"); }
    bool StartArray() { return add("["); }
    bool EndArray(rapidjson::SizeType) { return add("]"); }

    bool add(const std::string& event) {
        text_ += event + "\n";
        return true;
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

void trace_scalar_or_enter(Cursor& cursor, Trace& trace) {
    switch (cursor.type()) {
        case ValueType::null:
            cursor.skip();
            trace.Null();
            break;
        case ValueType::boolean:
            trace.Bool(cursor.read_boolean());
            break;
        case ValueType::number:
            trace.add("#" + std::string{cursor.read_number()});
            break;
        case ValueType::string:
            trace.add("'" + std::string{cursor.read_string()});
            break;
        case ValueType::array:
            cursor.enter_array();
            trace.StartArray();
            break;
        case ValueType::object:
            cursor.enter_object();
            trace.StartObject();
            break;
    }
}

/// Throws DecodeError.
std::string trace_of(core::ByteSource& source) {
    Cursor cursor{"test", source};
    Trace trace;
    do {
        trace_scalar_or_enter(cursor, trace);
        while (cursor.depth() > 0) {
            if (cursor.in_object()) {
                if (const auto name = cursor.next_member()) {
                    trace.add("." + std::string{*name});
                    break;
                }
                trace.add("}");
            } else {
                if (cursor.next_element()) {
                    break;
                }
                trace.add("]");
            }
        }
    } while (cursor.depth() > 0);
    cursor.finish();
    return trace.text();
}

std::string trace_of(std::string_view text) {
    core::StringSource source{text};
    return trace_of(source);
}

void skip_all(std::string_view text) {
    core::StringSource source{text};
    Cursor cursor{"test", source};
    cursor.skip();
    cursor.finish();
}

std::string failure_of(std::string_view text) {
    try {
        skip_all(text);
    } catch (const DecodeError& error) {
        return error.what();
    }
    return "";
}

std::string string_of(std::string_view text) {
    core::StringSource source{text};
    Cursor cursor{"test", source};
    std::string value{cursor.read_string()};
    cursor.finish();
    return value;
}

TEST(Cursor, walks_members_in_order_and_skips_what_is_not_read) {
    core::StringSource source{R"( {"a": {"deep": [1, {"x": null}]}, "b" : 12.50 ,"c":[true,"t\u00e4\n"]} )"};
    Cursor cursor{"test", source};
    cursor.enter_object();
    EXPECT_EQ(cursor.next_member(), "a");
    EXPECT_EQ(cursor.next_member(), "b");
    EXPECT_EQ(cursor.type(), ValueType::number);
    EXPECT_EQ(cursor.read_number(), "12.50");
    EXPECT_EQ(cursor.next_member(), "c");
    cursor.enter_array();
    ASSERT_TRUE(cursor.next_element());
    EXPECT_TRUE(cursor.read_boolean());
    ASSERT_TRUE(cursor.next_element());
    EXPECT_EQ(cursor.read_string(), "t\xC3\xA4\n");
    EXPECT_FALSE(cursor.next_element());
    EXPECT_EQ(cursor.next_member(), std::nullopt);
    cursor.finish();
}

TEST(Cursor, gives_the_same_whatever_the_pieces) {
    for (const auto& text : {samples::report(), samples::energy_levels(), std::string{samples::reports},
                             std::string{R"(["\ud83d\ude00\ud800\\","\u0000ä€😀", -0.5e-3,"\/",[[],{}],false])"}}) {
        const auto whole = trace_of(text);
        for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 11U, 13U, 64U}) {
            PiecewiseSource source{text, size};
            EXPECT_EQ(trace_of(source), whole) << "in pieces of " << size;
        }
    }
}

/// The elements of an array of numbers, each with a comma behind it, and how many were taken as plain ones.
std::pair<std::string, std::size_t> numbers_of(core::ByteSource& source) {
    Cursor cursor{"test", source};
    std::string text;
    cursor.enter_array();
    std::size_t plain = cursor.take_plain_numbers(text);
    while (cursor.next_element()) {
        EXPECT_EQ(cursor.take_plain_numbers(text), 0U) << "an element is at hand";
        text += std::string{cursor.read_number()} + ",";
        plain += cursor.take_plain_numbers(text);
    }
    cursor.finish();
    return {text, plain};
}

TEST(Cursor, takes_plain_numbers_at_once_and_leaves_the_others) {
    const std::string text = "[0,-0.50,12,1e5,7,3E-2,8.25,1234567890123456789012345,9, 10,11 ,12,13]";
    const std::string expected = "0,-0.50,12,1e5,7,3E-2,8.25,1234567890123456789012345,9,10,11,12,13,";
    core::StringSource whole{text};
    EXPECT_EQ(numbers_of(whole), std::pair(expected, std::size_t{8}));
    for (std::size_t size = 1; size < text.size(); ++size) {
        PiecewiseSource source{text, size};
        EXPECT_EQ(numbers_of(source).first, expected) << "in pieces of " << size;
    }
    core::StringSource empty{"[]"};
    EXPECT_EQ(numbers_of(empty), std::pair(std::string{}, std::size_t{0}));
}

TEST(Cursor, refuses_among_plain_numbers_what_is_no_json) {
    for (const auto* text :
         {"[1,]", "[01]", "[1,-]", "[1,2.]", "[1,.5]", "[1x]", "[1,2,,3]", "[1 2]", "[1,2}", "[1.5.2]", "[2-0.0"}) {
        core::StringSource source{text};
        EXPECT_THROW(numbers_of(source), DecodeError) << text;
    }
}

TEST(Cursor, says_that_a_document_ends_early_wherever_it_is_cut) {
    for (const auto& text : {samples::report(), samples::energy_levels(), std::string{R"({"a":[tru)"}.append("e]}")}) {
        for (std::size_t length = 1; length < text.size(); ++length) {
            EXPECT_THAT(failure_of(text.substr(0, length)), testing::EndsWith("the document ends early")) << length;
        }
    }
    EXPECT_EQ(failure_of(""), "test: the document is empty");
    EXPECT_EQ(failure_of(" \r\n"), "test: the document is empty");
}

TEST(Cursor, refuses_what_is_no_json) {
    for (const auto* text : {"<html><body>502</body></html>",
                             "{\"a\" 1}",
                             "{\"a\":1,}",
                             "[1,]",
                             "[,1]",
                             "[1 2]",
                             "{1:2}",
                             "{\"a\":}",
                             "[tru]",
                             "[trve]",
                             "[nulL]",
                             "[01]",
                             "[1.]",
                             "[+1]",
                             "[\"\\x\"]",
                             "[\"\\u12g4\"]",
                             "[\"a\nb\"]",
                             "[NaN]",
                             "{'a':1}",
                             "[1}",
                             "{\"a\":1]",
                             "// c\n1",
                             "\xEF\xBB\xBF{}"}) {
        EXPECT_THAT(failure_of(text), testing::EndsWith("not JSON")) << text;
    }
    EXPECT_THAT(failure_of(std::string_view{"[\"a\0b\"]", 7}), testing::EndsWith("not JSON"));
}

TEST(Cursor, refuses_what_follows_a_document) {
    EXPECT_EQ(failure_of("{} {}"), "test: something follows the document");
    EXPECT_EQ(failure_of(std::string_view{"{}\0", 3}), "test: something follows the document");
}

TEST(Cursor, replaces_characters_that_cannot_be_stored) {
    EXPECT_EQ(string_of(R"("a\u0000b")"),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(string_of(R"("\ud800")"), "\xEF\xBF\xBD");
    EXPECT_EQ(string_of(R"("\ud800\ud800\udc00")"), "\xEF\xBF\xBD\xF0\x90\x80\x80");
    EXPECT_EQ(string_of(R"("\udc00\n")"), "\xEF\xBF\xBD\n");
    EXPECT_EQ(string_of(R"("\ud800\u0041")"),
              "\xEF\xBF\xBD"
              "A");
    EXPECT_EQ(string_of("\"\xFF\xC3\x28\""), "\xEF\xBF\xBD\xEF\xBF\xBD(");
    EXPECT_EQ(string_of("\"\xC0\x80\""), "\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(string_of("\"\xED\xA0\x80\""), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(string_of("\"\xF4\x90\x80\x80.\""), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD.");
    EXPECT_EQ(string_of("\"\xE2\x82\""), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Cursor, counts_what_it_replaced) {
    core::StringSource source{"{\"\\u0000\": [\"\xFF\", \"fine \xE2\x82\xAC \\ud83d\\ude00\"]}"};
    Cursor cursor{"test", source};
    cursor.skip();
    EXPECT_EQ(cursor.replacements(), 2U);
}

TEST(Cursor, takes_every_character_of_unicode_as_it_is) {
    std::string text = "\"";
    std::string escaped = "\"";
    for (char32_t c = 0x20; c < 0x110000; c += c < 0x900 ? 1 : 0x3F1) {
        if ((c >= 0xD800 && c < 0xE000) || c == '"' || c == '\\') {
            continue;
        }
        rapidjson::GenericStringBuffer<rapidjson::UTF8<>> utf8;
        rapidjson::UTF8<>::Encode(utf8, c);
        text += utf8.GetString();
        rapidjson::GenericStringBuffer<rapidjson::UTF16<char16_t>> utf16;
        rapidjson::UTF16<char16_t>::Encode(utf16, c);
        for (const auto* unit = utf16.GetString(); *unit != 0; ++unit) {
            std::array<char, 7> buffer{};
            std::snprintf(buffer.data(), buffer.size(), "\\u%04X", static_cast<unsigned>(*unit));
            escaped += buffer.data();
        }
    }
    text += '"';
    escaped += '"';
    EXPECT_EQ(string_of(text), text.substr(1, text.size() - 2));
    EXPECT_EQ(string_of(escaped), string_of(text));
}

TEST(Cursor, skips_ten_thousand_levels_and_refuses_a_bottomless_document) {
    EXPECT_NO_THROW(skip_all(repeated("[", 10'000) + repeated("]", 10'000)));
    EXPECT_NO_THROW(skip_all(repeated("{\"a\":", 10'000) + "1" + repeated("}", 10'000)));
    EXPECT_THAT(failure_of(repeated("[", 200'000)), testing::EndsWith("nested too deeply"));
    EXPECT_LT(failure_of(repeated("[", 200'000)).size(), 2'000U);
}

TEST(Cursor, points_at_the_spot_and_never_shows_content) {
    core::StringSource source{R"({"items": [{"a/b~c": 1}, {"teams": {"123": {"x": 1}}, "Löysä": [0, tru]}]})"};
    Cursor cursor{"test", source};
    cursor.enter_object();
    cursor.next_member();
    cursor.enter_array();
    cursor.next_element();
    cursor.enter_object();
    cursor.next_member();
    EXPECT_EQ(cursor.pointer(), "/items/0/a~1b~0c");
    EXPECT_EQ(cursor.pattern(), "/items/*/a~1b~0c");
    cursor.next_member();
    cursor.next_element();
    cursor.enter_object();
    cursor.next_member();
    cursor.enter_object();
    cursor.next_member();
    EXPECT_EQ(cursor.pointer(), "/items/1/teams/*");
    cursor.enter_object(Cursor::Names::hidden);
    cursor.next_member();
    EXPECT_EQ(cursor.pointer(), "/items/1/teams/*/*");
    cursor.next_member();
    cursor.next_member();
    cursor.next_member();
    EXPECT_EQ(cursor.pointer(), "/items/1/L__ys__");
    try {
        cursor.skip();
        FAIL();
    } catch (const DecodeError& error) {
        EXPECT_EQ(error.operation(), "test");
        EXPECT_EQ(error.json_pointer(), "/items/1/L__ys__/1");
        EXPECT_STREQ(error.what(), "test: /items/1/L__ys__/1: not JSON");
    }
}

TEST(Cursor, cuts_long_names_in_pointers) {
    const auto text = "{\"" + std::string(5'000'000, 'n') + "\": [x]}";
    EXPECT_THAT(failure_of(text), testing::AllOf(testing::StartsWith("test: /"), testing::EndsWith("/0: not JSON")));
    EXPECT_LT(failure_of(text).size(), 100U);
}

TEST(Cursor, takes_long_strings_and_numbers) {
    const std::string digits(1'000'000, '7');
    const std::string letters(5'000'000, 'x');
    const auto text = "[" + digits + ",\"" + letters + "\"]";
    PiecewiseSource source{text, 65'536};
    EXPECT_EQ(trace_of(source), "[\n#" + digits + "\n'" + letters + "\n]\n");
}

/// RapidJSON's verdict and trace. It refuses some documents that are JSON; of those nothing can be learnt.
struct Oracle {
    bool usable = true;
    bool accepts = false;
    std::string trace;

    explicit Oracle(const std::string& text) {
        rapidjson::Reader reader;
        rapidjson::StringStream stream{text.c_str()};
        Trace events;
        constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;
        accepts = !reader.Parse<flags>(stream, events).IsError();
        trace = events.text();
        const auto code = reader.GetParseErrorCode();
        usable = code != rapidjson::kParseErrorStringUnicodeSurrogateInvalid &&
                 code != rapidjson::kParseErrorNumberTooBig && text.find("\\u0000") == std::string::npos;
    }
};

TEST(Cursor, agrees_with_rapidjson_on_mutated_documents) {
    constexpr std::string_view alphabet = "{}[]:,\"\\ue0123456789-+.E truefalsn \n/ab";
    std::mt19937 random{7};
    const auto below = [&random](std::size_t limit) { return random() % limit; };
    int accepted = 0;
    int refused = 0;
    for (int round = 0; round < 40'000; ++round) {
        auto text = samples::replaced(R"({"a":[1,-2.5e+3,true,false,null,{}],"b\n":"\u00e4\\x","c":{"d":[[],"e"]}})",
                                      "x", std::string(below(3), 'y'));
        for (auto count = below(4); count > 0; --count) {
            const auto at = below(text.size());
            switch (below(3)) {
                case 0:
                    text[at] = alphabet[below(alphabet.size())];
                    break;
                case 1:
                    text.insert(at, 1, alphabet[below(alphabet.size())]);
                    break;
                default:
                    text.erase(at, 1 + below(3));
            }
        }
        const Oracle oracle{text};
        if (!oracle.usable) {
            continue;
        }
        try {
            const auto trace = trace_of(text);
            ASSERT_TRUE(oracle.accepts) << text;
            ASSERT_EQ(trace, oracle.trace) << text;
            EXPECT_EQ(failure_of(text), "");
            ++accepted;
        } catch (const DecodeError&) {
            ASSERT_FALSE(oracle.accepts) << text;
            EXPECT_NE(failure_of(text), "") << text;
            ++refused;
        }
    }
    EXPECT_GT(accepted, 5'000);
    EXPECT_GT(refused, 5'000);
}

}  // namespace
}  // namespace heiasync::documents
