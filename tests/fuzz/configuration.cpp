#include "config/config.hpp"
#include "fuzz/property.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace heiasync::fuzz {

namespace {

constexpr std::string_view file = "heiasyncd.yaml";

/// The number at the front, up to a colon.
int take_number(std::string_view& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    require(error == std::errc{} && end != text.data() + text.size() && *end == ':', "a message names line and column");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return number;
}

void check_message(std::string_view message, std::string_view input) {
    require(message.starts_with(file) && message.substr(file.size()).starts_with(':'), "a message names the file");
    require(std::ranges::all_of(message, [](char c) { return c >= ' ' && c <= '~'; }),
            "a message is one line of ASCII");
    message.remove_prefix(file.size() + 1);
    // YAML counts a carriage return as the end of a line, and a message may be about the line after the last.
    const auto lines = 2 + std::ranges::count_if(input, [](char c) { return c == '\n' || c == '\r'; });
    const int line = take_number(message);
    require(line >= 1 && line <= lines, "a message is about a line of the file");
    require(take_number(message) >= 1, "a message is about a column of the file");
    require(message.starts_with(' ') && message.size() > 1, "a message says something");
}

std::optional<config::Config> parsed(std::string_view input) {
    try {
        return config::parse(std::string{input}, file);
    } catch (const config::ConfigError& error) {
        require(!error.messages().empty(), "a mistake has a message");
        for (const auto& message : error.messages()) {
            check_message(message, input);
        }
        return std::nullopt;
    }
}

config::Config with_other_secrets(config::Config config) {
    for (auto* const source : {&config.api.client_secret, &config.api.magic_token}) {
        if (source->literal) {
            source->literal = core::Secret{"another"};
        }
    }
    return config;
}

}  // namespace

void check(std::string_view input) {
    const auto config = parsed(input);
    if (!config) {
        return;
    }
    for (const auto& warning : config->warnings) {
        check_message(warning, input);
    }
    const auto printed = config::print(*config);
    require(config::print(with_other_secrets(*config)) == printed, "no secret is printed");
    const auto again = parsed(printed);
    require(again.has_value(), "what is printed is a configuration");
    require(config::print(*again) == printed, "what is printed is the same configuration");
}

}  // namespace heiasync::fuzz
