#include "documents/decode.hpp"
#include "fuzz/property.hpp"

namespace heiasync::fuzz {

void check(std::string_view input) {
    const auto code = documents::decode_failure(input).code;
    require(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos, "a code is a word");
    require(input.find(code) != std::string_view::npos || input.find('\\') != std::string_view::npos,
            "a code is what the server said");
}

}  // namespace heiasync::fuzz
