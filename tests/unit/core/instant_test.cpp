#include "core/instant.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::core {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Instant at(int year, unsigned month, unsigned day, microseconds time_of_day = {}) {
    return date::sys_days{date::year{year} / date::month{month} / date::day{day}} + time_of_day;
}

TEST(Instant, prints_in_utc) {
    EXPECT_EQ(format_instant(at(2026, 7, 1, hours{1} + minutes{30})), "2026-07-01T01:30:00Z");
    EXPECT_EQ(format_instant(Instant{}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(format_instant(Instant{} - microseconds{1}), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(format_instant(at(2026, 7, 1, microseconds{1500})), "2026-07-01T00:00:00.001500Z");
    EXPECT_EQ(format_instant(at(1, 1, 1)), "0001-01-01T00:00:00Z");
}

TEST(Instant, reads_utc_and_offsets) {
    const Instant expected = at(2026, 7, 1, hours{1} + minutes{30});
    for (const std::string_view text :
         {"2026-07-01T01:30:00Z", "2026-07-01T01:30Z", "2026-07-01t01:30:00z", "2026-07-01 01:30:00Z",
          "2026-07-01T04:30:00+03:00", "2026-07-01T04:30:00+0300", "2026-07-01T04:30:00+03",
          "2026-06-30T22:00:00-03:30", "2026-07-01T01:30:00-00:00", "2026-07-01T01:30:00.000Z",
          "2026-07-02T01:29:00+23:59"}) {
        EXPECT_EQ(parse_instant(text), expected) << text;
    }
}

TEST(Instant, cuts_what_is_finer_than_a_microsecond) {
    EXPECT_EQ(parse_instant("2026-07-01T00:00:00.5Z"), at(2026, 7, 1, microseconds{500'000}));
    EXPECT_EQ(parse_instant("2026-07-01T00:00:00.123456Z"), at(2026, 7, 1, microseconds{123'456}));
    EXPECT_EQ(parse_instant("2026-07-01T00:00:00.123456999Z"), at(2026, 7, 1, microseconds{123'456}));
    EXPECT_EQ(parse_instant("2026-07-01T00:00:00." + std::string(1000, '9') + "Z"),
              at(2026, 7, 1, microseconds{999'999}));
}

TEST(Instant, takes_a_leap_second_for_the_one_that_follows) {
    EXPECT_EQ(parse_instant("2016-12-31T23:59:60Z"), at(2017, 1, 1));
    EXPECT_EQ(parse_instant("2016-12-31T23:59:60.25Z"), at(2017, 1, 1, microseconds{250'000}));
    EXPECT_EQ(parse_instant("2017-01-01T01:59:60+02:00"), at(2017, 1, 1));
    EXPECT_THROW((void)parse_instant("2016-12-31T23:58:60Z"), std::invalid_argument);
    EXPECT_THROW((void)parse_instant("2016-12-31T23:59:60+02:00"), std::invalid_argument);
    EXPECT_THROW((void)parse_instant("2016-12-31T23:59:61Z"), std::invalid_argument);
    EXPECT_THROW((void)parse_instant("9999-12-31T23:59:60Z"), std::invalid_argument);
}

TEST(Instant, ends_where_years_have_four_digits) {
    EXPECT_EQ(parse_instant("0001-01-01T00:00:00Z"), at(1, 1, 1));
    EXPECT_EQ(parse_instant("9999-12-31T23:59:59.999999Z"), at(9999, 12, 31) + days{1} - microseconds{1});
    for (const std::string_view text :
         {"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z",
          "-001-01-01T00:00:00Z", "+2026-07-01T00:00:00Z"}) {
        EXPECT_THROW((void)parse_instant(text), std::invalid_argument) << text;
    }
}

TEST(Instant, refuses_everything_else) {
    for (const std::string_view text : {"",
                                        "2026-07-01",
                                        "2026-07-01T01:30:00",
                                        "2026-07-01T",
                                        "2026-07-01T01Z",
                                        "2026-7-1T01:30:00Z",
                                        "2026-07-01T1:30:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-04-31T00:00:00Z",
                                        "2026-07-01T24:00:00Z",
                                        "2026-07-01T00:60:00Z",
                                        "2026-07-01T00:00:00.Z",
                                        "2026-07-01T00:00:00,5Z",
                                        "2026-07-01T00:00:00.5.5Z",
                                        "2026-07-01T00:00:00ZZ",
                                        "2026-07-01T00:00:00Z ",
                                        " 2026-07-01T00:00:00Z",
                                        "2026-07-01T00:00:00+24:00",
                                        "2026-07-01T00:00:00+02:60",
                                        "2026-07-01T00:00:00+2",
                                        "2026-07-01T00:00:00+02:",
                                        "2026-07-01T00:00:00+020",
                                        "2026-07-01T00:00:00+02000",
                                        "2026-07-01T00:00:00 +02:00",
                                        "2026-07-01T00:00:00UTC",
                                        "2026-07-01T00:00:00.+2Z",
                                        "2026/07/01T00:00:00Z",
                                        "20260701T000000Z",
                                        "2026-07-01T00:00Z00"}) {
        EXPECT_THROW((void)parse_instant(text), std::invalid_argument) << '"' << text << '"';
    }
    EXPECT_THROW((void)parse_instant(std::string_view{"2026-07-01T00:00:00Z\0", 21}), std::invalid_argument);
}

TEST(Instant, does_not_repeat_a_refused_text) {
    EXPECT_THAT([] { (void)parse_instant("tell nobody"); },
                testing::ThrowsMessage<std::invalid_argument>(testing::Not(testing::HasSubstr("nobody"))));
    EXPECT_THAT([] { (void)parse_date("tell nobody"); },
                testing::ThrowsMessage<std::invalid_argument>(testing::Not(testing::HasSubstr("nobody"))));
}

TEST(Instant, reads_back_what_it_prints) {
    for (const Instant instant : {at(1, 1, 1), at(1969, 12, 31, microseconds{1}), at(2000, 2, 29, hours{23}),
                                  at(2026, 7, 1, microseconds{86'399'999'999}), at(9999, 12, 31)}) {
        EXPECT_EQ(parse_instant(format_instant(instant)), instant);
    }
}

TEST(Date, reads_and_prints) {
    const Date leap_day = date::year{2028} / 2 / 29;
    EXPECT_EQ(parse_date("2028-02-29"), leap_day);
    EXPECT_EQ(format_date(leap_day), "2028-02-29");
    EXPECT_EQ(format_date(parse_date("0001-01-01")), "0001-01-01");
    EXPECT_EQ(format_date(parse_date("9999-12-31")), "9999-12-31");
}

TEST(Date, refuses_everything_else) {
    for (const std::string_view text : {"", "2026-02-29", "0000-01-01", "2026-7-1", "20260701", "2026-07-01 ",
                                        "2026-07-01T", "2026-07", "10000-01-01", "2026-07-0a", "-026-07-01"}) {
        EXPECT_THROW((void)parse_date(text), std::invalid_argument) << '"' << text << '"';
    }
}

}  // namespace
}  // namespace heiasync::core
