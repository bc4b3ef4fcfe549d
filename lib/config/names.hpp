#pragma once

#include "config/config.hpp"

#include <array>
#include <string_view>
#include <utility>

/// The words that the file has for what are enumerations to us.
namespace heiasync::config {

inline constexpr std::array<std::pair<std::string_view, LogLevel>, 4> log_levels{{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
}};

inline constexpr std::array<std::pair<std::string_view, LogFormat>, 2> log_formats{{
    {"text", LogFormat::text},
    {"json", LogFormat::json},
}};

}  // namespace heiasync::config
