#include "core/instant.hpp"

#include "core/duration.hpp"
#include "core/size.hpp"
#include "fuzz/property.hpp"

#include <optional>
#include <stdexcept>
#include <string>

namespace heiasync::fuzz {

namespace {

/// Where a text can be read, what is written for it is read as the same, and says it in one way only.
template <class Parse, class Format>
void check_round_trip(std::string_view input, Parse parse, Format format) {
    std::optional<decltype(parse(input))> value;
    try {
        value = parse(input);
    } catch (const std::invalid_argument& error) {
        const std::string_view what = error.what();
        require(what.starts_with("expected") || what == "the number is too large", "a refusal repeats nothing");
        return;
    }
    const auto written = format(*value);
    require(parse(written) == *value, "what is written is read as it was");
    require(format(parse(written)) == written, "there is one way to write it");
}

}  // namespace

void check(std::string_view input) {
    check_round_trip(input, core::parse_instant, core::format_instant);
    check_round_trip(input, core::parse_date, core::format_date);
    check_round_trip(input, core::parse_duration, core::format_duration);
    check_round_trip(input, core::parse_size, core::format_size);
}

}  // namespace heiasync::fuzz
