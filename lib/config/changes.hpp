#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace heiasync::config {

/// What a second configuration says otherwise, each as `schedule.daily_at: "23:00" -> "04:30"`, in the order of
/// print(). Of a password in a database URL only that it changed; of the secrets of the API nothing, which are compared
/// by who reads them from wherever they are.
std::vector<std::string> changes(const Config& before, const Config& after);

}  // namespace heiasync::config
