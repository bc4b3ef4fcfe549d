#pragma once

#include "installation.hpp"

#include <string>
#include <vector>

namespace heiasync::testing {

/// 14 organisations: enough of each kind, and few enough for many runs.
simulator::Options tiny_world();

/// Whether the tests that take minutes are wanted.
bool long_tests();

/// All tables but that of the runs, without generated ids, times and attempts: what an undisturbed run and one that was
/// interrupted and continued have in common.
std::vector<std::string> content(const Installation& installation);

std::string row_difference(const std::vector<std::string>& expected, const std::vector<std::string>& actual);

}  // namespace heiasync::testing
