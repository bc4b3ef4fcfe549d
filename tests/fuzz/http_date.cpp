#include "http/http_date.hpp"

#include "fuzz/property.hpp"
#include "http/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace heiasync::fuzz {

namespace {

using std::chrono::milliseconds;

/// `Sun, 06 Nov 1994 08:49:37 GMT`. Of the weekday nothing depends.
std::string http_date(core::Instant instant) {
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = date::floor<date::days>(instant);
    const core::Date civil{day};
    const date::hh_mm_ss time{date::floor<std::chrono::seconds>(instant - day)};
    return fmt::format("Sun, {:02} {} {:04} {:02}:{:02}:{:02} GMT", static_cast<unsigned>(civil.day()),
                       months.at(static_cast<unsigned>(civil.month()) - 1), static_cast<int>(civil.year()),
                       time.hours().count(), time.minutes().count(), time.seconds().count());
}

void check_at(std::string_view input, core::Instant now) {
    const auto instant = http::parse_http_date(input, now);
    constexpr date::sys_days end{date::year{10'000} / 1 / 1};
    if (instant && *instant < end) {
        require(http::parse_http_date(http_date(*instant), now) == instant, "a date is read as it is written");
    }
    const auto retry_after = http::parse_retry_after(input, now);
    if (retry_after) {
        require(*retry_after >= milliseconds{0} && *retry_after <= std::chrono::hours{24 * 365},
                "nothing is waited for longer than a year");
        const bool is_digits = input.find_first_not_of("0123456789") == std::string_view::npos;
        require(is_digits != instant.has_value(), "it is seconds, or a date");
        require(is_digits || *instant > now || *retry_after == milliseconds{0}, "what is past is not waited for");
    } else {
        require(!instant, "every date can be waited for");
    }
}

}  // namespace

void check(std::string_view input) {
    for (const auto year : {1970, 2026, 2099}) {
        check_at(input, core::Instant{date::sys_days{date::year{year} / 7 / 1}});
    }
}

}  // namespace heiasync::fuzz
