#include "history/values.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {
namespace {

using namespace std::string_view_literals;

TEST(StorableText, IsTheTextWhereItCanBeStored) {
    EXPECT_EQ(storable_text(""), "");
    EXPECT_EQ(storable_text("Ääniala 🏔 \x01\n"), "Ääniala 🏔 \x01\n");
}

TEST(StorableText, ReplacesWhatPostgreSqlCannotHold) {
    EXPECT_EQ(storable_text("a\0b"sv), "a\uFFFDb");
    EXPECT_EQ(storable_text("a\xFF"), "a\uFFFD");
    EXPECT_EQ(storable_text("\xC3"), "\uFFFD") << "cut in the middle";
    EXPECT_EQ(storable_text("\xC0\x80"), "\uFFFD\uFFFD") << "an overlong form";
    EXPECT_EQ(storable_text("\xED\xA0\x80x"), "\uFFFD\uFFFD\uFFFDx") << "a surrogate";
}

TEST(Prefix, CutsNoCharacterInTwo) {
    EXPECT_EQ(prefix("ääni", 3), "ä");
    EXPECT_EQ(prefix("ääni", 4), "ää");
    EXPECT_EQ(prefix("ääni", 100), "ääni");
}

std::string line_of(const Row& row) {
    std::string line;
    row.append_line(line);
    return line;
}

TEST(Row, IsALineOfCopy) {
    using namespace std::chrono_literals;
    const core::Instant at = date::sys_days{date::year{2026} / 7 / 1} + 90min;
    const std::optional<std::string> none;
    Row row{1, std::int64_t{-5}, true, false, 2.5, "text", std::string{}, none, std::optional{7}, at};
    row.add_array("1.5,null");
    row.add_array(std::vector{1, 2});
    row.add_array(std::vector<int>{});
    EXPECT_EQ(line_of(row), "1\t-5\tt\tf\t2.5\ttext\t\t\\N\t7\t2026-07-01T01:30:00Z\t{1.5,null}\t{1,2}\t{}");
    EXPECT_EQ(row.size(), 13U);
    row.clear();
    EXPECT_EQ(row.size(), 0U);
    EXPECT_EQ(line_of(row), "");
}

TEST(Row, IsOneLineWhateverItsTextsHold) {
    EXPECT_EQ(line_of(Row{"a\tb\nc\rd\\e", "\\N", "\\"}), "a\\tb\\nc\\rd\\\\e\t\\\\N\t\\\\");
    EXPECT_EQ(line_of(Row{"a\0b"sv}), "a\uFFFDb");
}

TEST(Row, GivesParameters) {
    const Row row{"text", std::nullopt, Value::bytes("\x01\xFE")};
    EXPECT_STREQ(row[0], "text");
    EXPECT_EQ(row[1], nullptr);
    EXPECT_STREQ(row[2], "\\x01fe");
}

TEST(Row, GivesElementsOfArrays) {
    const Row row{R"(a "quoted" \ text, {})", std::string{}, "NULL", std::nullopt, 7};
    std::string elements;
    for (std::size_t i = 0; i < row.size(); ++i) {
        row.append_element(elements, i);
        elements += ';';
    }
    EXPECT_EQ(elements, R"("a \"quoted\" \\ text, {}";"";"NULL";NULL;"7";)");
}

}  // namespace
}  // namespace heiasync::history
