#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace heiasync::core {

/// Reads a length of time with its unit: `250ms`, `10s`, `5min`, `1h`, `7d`; whole numbers, one unit, no sign.
/// Throws std::invalid_argument with a sentence that says what is expected.
std::chrono::milliseconds parse_duration(std::string_view text);

/// The same length as parse_duration reads it, in the largest unit that gives a whole number: `1h`, `90s`, `250ms`,
/// `0s`.
std::string format_duration(std::chrono::milliseconds duration);

/// About how long, for people, rounded up to a second: `40 s`, `12 min`, `3 h 05 min`.
std::string rough_duration(std::chrono::milliseconds duration);

}  // namespace heiasync::core
