#include "core/duration.hpp"

#include "core/quantity.hpp"

#include <fmt/format.h>

#include <array>

namespace heiasync::core {
namespace {

constexpr std::array<Unit, 5> units{{
    {"ms", 1},
    {"s", 1000},
    {"min", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000},
}};

constexpr std::string_view expected = "expected a whole number with one of the units ms, s, min, h, d, such as 30s";

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text) {
    return std::chrono::milliseconds{parse_quantity(text, units, expected)};
}

std::string format_duration(std::chrono::milliseconds duration) {
    return duration.count() == 0 ? "0s" : format_quantity(duration.count(), units);
}

std::string rough_duration(std::chrono::milliseconds duration) {
    const auto time = std::chrono::ceil<std::chrono::seconds>(duration);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time).count();
    if (minutes == 0) {
        return fmt::format("{} s", time.count());
    }
    return minutes < 60 ? fmt::format("{} min", minutes) : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace heiasync::core
