#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace heiasync::config {

/// What a second configuration says otherwise, each as `schedule.daily_at: "23:00" -> "04:30"`, in the order of
/// print(). Of what is printed masked, only that it changed.
std::vector<std::string> changes(const Config& before, const Config& after);

}  // namespace heiasync::config
