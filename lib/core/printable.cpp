#include "core/printable.hpp"

#include <algorithm>

namespace heiasync::core {

std::string printable(std::string_view text, std::size_t longest) {
    std::string line{text.substr(0, longest)};
    std::ranges::replace_if(
        line, [](char c) { return c < ' ' || c > '~'; }, '?');
    return line;
}

}  // namespace heiasync::core
