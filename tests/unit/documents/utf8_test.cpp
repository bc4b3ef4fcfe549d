#include "documents/utf8.hpp"

#include <gtest/gtest.h>

namespace heiasync::documents {
namespace {

TEST(AsUtf8, keeps_what_is_and_replaces_each_byte_that_is_not) {
    EXPECT_EQ(as_utf8(""), "");
    EXPECT_EQ(as_utf8("käyttäjä \xF0\x9F\x98\x80"), "käyttäjä \xF0\x9F\x98\x80");
    EXPECT_EQ(as_utf8("k\xE4ytt\xE4j\xE4"), "k\xEF\xBF\xBDytt\xEF\xBF\xBDj\xEF\xBF\xBD");
    EXPECT_EQ(as_utf8("\xC3"), "\xEF\xBF\xBD") << "cut short";
    EXPECT_EQ(as_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
}

}  // namespace
}  // namespace heiasync::documents
