#include "core/size.hpp"

#include "core/quantity.hpp"

#include <array>
#include <limits>
#include <stdexcept>

namespace heiasync::core {
namespace {

constexpr std::array<Unit, 5> units{{
    {"B", 1},
    {"KiB", 1LL << 10U},
    {"MiB", 1LL << 20U},
    {"GiB", 1LL << 30U},
    {"TiB", 1LL << 40U},
}};

constexpr std::string_view expected =
    "expected a whole number with one of the units B, KiB, MiB, GiB, TiB, such as 64KiB";

}  // namespace

std::uint64_t parse_size(std::string_view text) {
    return static_cast<std::uint64_t>(parse_quantity(text, units, expected));
}

std::string format_size(std::uint64_t bytes) {
    return bytes == 0 ? "0B" : format_quantity(bytes, units);
}

}  // namespace heiasync::core
