#include "http/http_date.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;

constexpr core::Instant now = date::sys_days{date::year{2026} / 7 / 1};

TEST(ParseHttpDate, TakesTheThreeForms) {
    const core::Instant expected = date::sys_days{date::year{1994} / 11 / 6} + 8h + 49min + 37s;
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), expected);
    EXPECT_EQ(parse_http_date("Sun Nov 16 08:49:37 1994", now), expected + date::days{10});
}

TEST(ParseHttpDate, TwoDigitsAreAYearAtMostFiftyYearsAhead) {
    const auto year = [](std::string_view two_digits) {
        const auto instant = parse_http_date("Monday, 01-Jan-" + std::string{two_digits} + " 00:00:00 GMT", now);
        return static_cast<int>(date::year_month_day{date::floor<date::days>(instant.value())}.year());
    };
    EXPECT_EQ(year("26"), 2026);
    EXPECT_EQ(year("27"), 2027);
    EXPECT_EQ(year("76"), 2076);
    EXPECT_EQ(year("77"), 1977);
    EXPECT_EQ(year("00"), 2000);
}

TEST(ParseHttpDate, KnowsTheCalendar) {
    EXPECT_TRUE(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", now));
    EXPECT_FALSE(parse_http_date("Thu, 29 Feb 2023 00:00:00 GMT", now));
    EXPECT_FALSE(parse_http_date("Thu, 00 Jan 2023 00:00:00 GMT", now));
    EXPECT_FALSE(parse_http_date("Thu, 01 Jan 2023 24:00:00 GMT", now));
    EXPECT_TRUE(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now));
}

TEST(ParseHttpDate, RefusesEverythingElse) {
    for (const std::string_view text :
         {"", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
          "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
          "1994-11-06T08:49:37Z", "Sun Nov 6 08:49:37 1994", "Sunday, 06-Nov-1994 08:49:37 GMT",
          "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 No"}) {
        EXPECT_FALSE(parse_http_date(text, now)) << text;
    }
}

}  // namespace
}  // namespace heiasync::http
