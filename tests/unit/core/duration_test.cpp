#include "core/duration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace heiasync::core {
namespace {

using std::chrono::milliseconds;

TEST(Duration, reads_every_unit) {
    EXPECT_EQ(parse_duration("0s"), milliseconds{0});
    EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
    EXPECT_EQ(parse_duration("10s"), milliseconds{10'000});
    EXPECT_EQ(parse_duration("5min"), milliseconds{300'000});
    EXPECT_EQ(parse_duration("1h"), milliseconds{3'600'000});
    EXPECT_EQ(parse_duration("7d"), milliseconds{604'800'000});
}

TEST(Duration, reads_the_largest_and_refuses_what_is_beyond) {
    EXPECT_EQ(parse_duration("9223372036854775807ms"), milliseconds::max());
    EXPECT_THROW((void)parse_duration("9223372036854775808ms"), std::invalid_argument);
    EXPECT_THROW((void)parse_duration("9223372036854775807s"), std::invalid_argument);
    EXPECT_THROW((void)parse_duration("99999999999999999999999d"), std::invalid_argument);
}

TEST(Duration, refuses_everything_else) {
    for (const std::string_view text : {"", "s", "10", "0", "-1s", "+1s", "1.5s", " 1s", "1s ", "1 s", "1S", "1m",
                                        "1h30min", "0x10s", "1e3s", "ten s", "1sec"}) {
        EXPECT_THROW((void)parse_duration(text), std::invalid_argument) << '"' << text << '"';
    }
    EXPECT_THROW((void)parse_duration(std::string_view{"1s\0", 3}), std::invalid_argument);
}

TEST(Duration, says_what_it_expects) {
    EXPECT_THAT([] { (void)parse_duration("10"); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("such as 30s")));
    EXPECT_THAT([] { (void)parse_duration("9223372036854775807d"); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("too large")));
}

TEST(Duration, prints_in_the_largest_unit_that_gives_a_whole_number) {
    EXPECT_EQ(format_duration(milliseconds{0}), "0s");
    EXPECT_EQ(format_duration(milliseconds{250}), "250ms");
    EXPECT_EQ(format_duration(milliseconds{90'000}), "90s");
    EXPECT_EQ(format_duration(milliseconds{3'600'000}), "1h");
    EXPECT_EQ(format_duration(milliseconds{-90'000}), "-90s");
}

TEST(Duration, reads_back_what_it_prints) {
    for (const milliseconds::rep count :
         {milliseconds::rep{0}, milliseconds::rep{1}, milliseconds::rep{59'999}, milliseconds::rep{60'000},
          milliseconds::rep{86'400'000}, milliseconds::rep{86'400'001}, milliseconds::max().count()}) {
        EXPECT_EQ(parse_duration(format_duration(milliseconds{count})), milliseconds{count});
    }
}

TEST(RoughDuration, IsWhatPeopleWantToKnow) {
    using std::chrono::milliseconds;
    EXPECT_EQ(rough_duration(milliseconds{0}), "0 s");
    EXPECT_EQ(rough_duration(milliseconds{1}), "1 s");
    EXPECT_EQ(rough_duration(milliseconds{59'000}), "59 s");
    EXPECT_EQ(rough_duration(milliseconds{59'001}), "1 min");
    EXPECT_EQ(rough_duration(milliseconds{3'599'000}), "59 min");
    EXPECT_EQ(rough_duration(milliseconds{90'000'000}), "25 h 00 min");
}

}  // namespace
}  // namespace heiasync::core
