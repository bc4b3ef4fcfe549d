#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heiasync::core {

/// Reads a number of bytes with its unit: `512B`, `64KiB`, `200MiB`, `1GiB`, `1TiB`; whole numbers, one unit, no sign.
/// Throws std::invalid_argument with a sentence that says what is expected.
std::uint64_t parse_size(std::string_view text);

/// The same number as parse_size reads it, in the largest unit that gives a whole number: `200MiB`, `1500B`.
std::string format_size(std::uint64_t bytes);

}  // namespace heiasync::core
