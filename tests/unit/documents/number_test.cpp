#include "documents/number.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace heiasync::documents {
namespace {

TEST(Number, is_what_json_writes) {
    for (const auto* text : {"0", "-0", "12", "1.5", "0.05", "1e5", "1E+5", "-1.25e-05"}) {
        EXPECT_TRUE(is_number(text)) << text;
    }
    for (const auto* text : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", " 1", "1 ", "--1", "1.e3", "NaN"}) {
        EXPECT_FALSE(is_number(text)) << text;
    }
}

TEST(Number, is_an_integer_however_it_is_written_as_long_as_nothing_is_lost) {
    EXPECT_EQ(to_integer("26"), 26);
    EXPECT_EQ(to_integer("-26.0"), -26);
    EXPECT_EQ(to_integer("2.60e1"), 26);
    EXPECT_EQ(to_integer("2600e-2"), 26);
    EXPECT_EQ(to_integer("0.000"), 0);
    EXPECT_EQ(to_integer("0e999999999999"), 0);
    EXPECT_EQ(to_integer("3205492853"), 3'205'492'853);
    EXPECT_EQ(to_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(to_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(to_integer("-9223372036854775808.0"), std::numeric_limits<std::int64_t>::min());
}

TEST(Number, is_no_integer_with_a_fraction_or_beyond_64_bits_or_where_it_is_none) {
    for (const auto* text : {"", "-", "007", "-01", "12a", " 1", "26.5", "1e-1", "9223372036854775808",
                             "-9223372036854775809", "9223372036854775807.5", "1e19", "1e99999999999999999999"}) {
        EXPECT_FALSE(to_integer(text)) << text;
    }
}

TEST(Number, is_the_nearest_double) {
    EXPECT_EQ(to_double("3.1699"), 3.1699);
    EXPECT_EQ(to_double("-1e3"), -1000.0);
    EXPECT_FALSE(to_double("1e400"));
}

TEST(Number, fits_numeric_up_to_its_last_digit) {
    EXPECT_TRUE(fits_numeric("1e131071"));
    EXPECT_FALSE(fits_numeric("1e131072"));
    EXPECT_TRUE(fits_numeric("1e-16383"));
    EXPECT_FALSE(fits_numeric("1e-16384"));
    EXPECT_FALSE(fits_numeric("0.1e-16383"));
    EXPECT_TRUE(fits_numeric(std::string(131'072, '9')));
    EXPECT_FALSE(fits_numeric(std::string(131'073, '9')));
    EXPECT_FALSE(fits_numeric("1e99999999999999999999"));
    EXPECT_FALSE(fits_numeric("1e-99999999999999999999"));
}

}  // namespace
}  // namespace heiasync::documents
