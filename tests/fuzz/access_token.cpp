#include "documents/decode.hpp"
#include "fuzz/decoding.hpp"

#include <algorithm>

namespace heiasync::fuzz {

void check(std::string_view input) {
    const auto answer = decode_text(documents::decode_access_token, input, "access_token");
    if (!answer) {
        return;
    }
    const auto& token = answer->token.reveal();
    require(!token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; }),
            "a token can stand in a header");
    require(is_storable(answer->scope.value_or("")), "a scope can be stored");
    require(!answer->created_at || core::parse_instant(core::format_instant(*answer->created_at)) == answer->created_at,
            "an instant is read as it is written");
}

}  // namespace heiasync::fuzz
