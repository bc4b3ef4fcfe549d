#pragma once

#include <string>
#include <string_view>

namespace heiasync::core {

/// A text of others as one line that is safe on a terminal and in a log: control characters, and what is no ASCII,
/// become
/// `?`, and what is beyond 100 characters is cut.
std::string printable(std::string_view text);

}  // namespace heiasync::core
