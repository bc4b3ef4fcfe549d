#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::core {

/// The candidate that was most likely meant by a mistyped word: at most two letters inserted, deleted, replaced or
/// swapped, and less than half of the word. None where nothing is that near.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace heiasync::core
