#include "config/conninfo.hpp"

#include "fuzz/property.hpp"

#include <libpq-fe.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace heiasync::fuzz {

namespace {

using Settings = std::map<std::string, std::string>;

/// What libpq takes a connection string for.
std::optional<Settings> read_by_libpq(const std::string& conninfo) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree};
    PQfreemem(message);
    if (!options) {
        return std::nullopt;
    }
    Settings settings;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && *option->val != '\0') {
            settings.emplace(option->keyword, option->val);
        }
    }
    return settings;
}

std::optional<std::string> masked(const std::string& conninfo) {
    try {
        return config::mask_passwords(conninfo);
    } catch (const std::invalid_argument& error) {
        require(error.what() == std::string_view{config::expected_conninfo}, "a refusal repeats nothing");
        return std::nullopt;
    }
}

}  // namespace

void check(std::string_view input) {
    const std::string conninfo{input.substr(0, input.find('\0'))};
    const auto shown = masked(conninfo);
    if (!shown) {
        return;
    }
    require(masked(*shown) == shown, "what is masked stays as it is");
    const auto settings = read_by_libpq(conninfo);
    if (!settings) {
        return;
    }
    auto expected = *settings;
    for (const auto* const secret : {"password", "sslpassword"}) {
        if (expected.contains(secret)) {
            expected[secret] = "***";
        }
    }
    require(read_by_libpq(*shown) == expected, "passwords are masked, and nothing else");
}

}  // namespace heiasync::fuzz
