#pragma once

#include <functional>

namespace heiasync::testing {

/// Looks until it is so. Throws std::runtime_error where that takes a minute.
void wait_until(const std::function<bool()>& so);

}  // namespace heiasync::testing
