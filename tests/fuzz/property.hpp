#pragma once

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string_view>

/// What the fuzz targets share. A target asserts what has to hold for every input; one where it does not is a finding,
/// which libFuzzer keeps and the replay of the corpus fails at.
namespace heiasync::fuzz {

inline void require(bool holds, std::string_view property) {
    if (!holds) {
        std::cerr << "does not hold: " << property << '\n';
        std::abort();
    }
}

/// Takes the text up to the line break, and the line break, from the front.
inline std::string_view take_line(std::string_view& text) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    return line;
}

/// What a target does with an input: every target defines it.
void check(std::string_view input);

}  // namespace heiasync::fuzz
