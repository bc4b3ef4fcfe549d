#pragma once

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

/// A whole number with one unit: what durations and sizes have in common.
namespace heiasync::core {

struct Unit {
    std::string_view name;
    std::int64_t factor = 1;
};

/// Throws std::invalid_argument with `expected` as its text where `text` is anything but digits and one of the units,
/// or where it is beyond 64 bits.
inline std::int64_t parse_quantity(std::string_view text, std::span<const Unit> units, std::string_view expected) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const bool signed_text = text.starts_with('-');
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::invalid_argument || signed_text) {
        throw std::invalid_argument{std::string{expected}};
    }
    const std::string_view name{rest, static_cast<std::size_t>(end - rest)};
    for (const Unit& unit : units) {
        if (unit.name != name) {
            continue;
        }
        if (error == std::errc::result_out_of_range ||
            number > std::numeric_limits<std::int64_t>::max() / unit.factor) {
            throw std::invalid_argument{"the number is too large"};
        }
        return number * unit.factor;
    }
    throw std::invalid_argument{std::string{expected}};
}

/// In the largest of the units, listed ascending, that gives a whole number. Not for 0, which every unit divides.
template <std::integral Number>
std::string format_quantity(Number number, std::span<const Unit> units) {
    const Unit* best = &units.front();
    for (const Unit& unit : units) {
        if (number % static_cast<Number>(unit.factor) == 0) {
            best = &unit;
        }
    }
    return fmt::format("{}{}", number / static_cast<Number>(best->factor), best->name);
}

}  // namespace heiasync::core
