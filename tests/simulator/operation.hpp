#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heiasync::simulator {

/// The calls of the API. `unknown`: a path that it does not have.
enum class Operation : std::uint8_t { token, organisations, stats, energy_levels, reports, full_data, unknown };

std::string_view to_string(Operation operation);
std::optional<Operation> parse_operation(std::string_view name);

}  // namespace heiasync::simulator
