#include "documents/decode.hpp"
#include "fuzz/decoding.hpp"

namespace heiasync::fuzz {

namespace {

std::optional<documents::DecodedUsageStats> decoded(std::string_view text) {
    return decode_text(documents::decode_usage_stats, text, "usage_stats");
}

}  // namespace

void check(std::string_view input) {
    const auto stats = decoded(input);
    if (!stats) {
        return;
    }
    require_storable_json(stats->stats.extra);
    require_sound(stats->drift);
    const bool is_bare = input.find("usage") == std::string_view::npos && input.find('\\') == std::string_view::npos;
    if (is_bare) {
        const auto wrapped = decoded("{\"usage\":" + std::string{input} + "}");
        require(wrapped && wrapped->stats == stats->stats, "both shapes of the statistics say the same");
    }
}

}  // namespace heiasync::fuzz
