#pragma once

#include <date/date.h>

#include <chrono>
#include <string>
#include <string_view>

namespace heiasync::core {

/// A moment on the UTC time line, as precise as PostgreSQL's timestamptz.
using Instant = date::sys_time<std::chrono::microseconds>;

/// A civil date. Which zone's date it is, is said where it is used.
using Date = date::year_month_day;

/// ISO 8601 in UTC: `2026-07-01T01:30:00Z`, with the fraction of a second (six digits) only where there is one.
std::string format_instant(Instant instant);

/// `2026-07-01`.
std::string format_date(Date date);

/// Reads an ISO 8601 date and time with `Z` or an offset (`+02:00`, `+0200`, `+02`), in UTC between the years 1 and
/// 9999. The seconds may be missing; a fraction finer than a microsecond is cut; a leap second (23:59:60 UTC) is taken
/// for the second that follows it. Throws std::invalid_argument, whose text does not repeat the input.
Instant parse_instant(std::string_view text);

/// Reads `YYYY-MM-DD`, years 1 to 9999. Throws std::invalid_argument, whose text does not repeat the input.
Date parse_date(std::string_view text);

}  // namespace heiasync::core
