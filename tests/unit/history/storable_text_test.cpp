#include "history/transaction.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

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

}  // namespace
}  // namespace heiasync::history
