#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heiasync::core {

/// A text of others as one line that is safe on a terminal and in a log: control characters, and what is no ASCII,
/// become
/// `?`, and what is beyond the longest that it may be is cut.
std::string printable(std::string_view text, std::size_t longest = 100);

}  // namespace heiasync::core
