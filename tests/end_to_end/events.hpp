#pragma once

#include "installation.hpp"

#include <string>
#include <vector>

namespace heiasync::testing {

/// The events that those who listened from the beginning have heard, by what the history holds: one of each document
/// and of each run that has ended, without its gaps. Sorted.
std::vector<std::string> events_due(const Installation& installation);

}  // namespace heiasync::testing
