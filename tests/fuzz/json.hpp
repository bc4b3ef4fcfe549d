#pragma once

#include <optional>
#include <string>
#include <string_view>

/// RapidJSON as the other opinion on what is JSON.
namespace heiasync::fuzz {

/// Whether it is valid UTF-8 without NUL: what PostgreSQL's text holds.
bool is_storable(std::string_view text);

enum class Encoding { any, utf8 };

/// What a JSON text says, an event a line; nothing where RapidJSON takes it for no JSON.
struct Reading {
    std::optional<std::string> events;
    bool usable = true;  ///< not where RapidJSON refuses what is JSON
};
Reading read_by_rapidjson(std::string_view json, Encoding encoding = Encoding::any);

/// The same for JSON text that we wrote: valid UTF-8, without NUL. A finding where it is not.
std::string require_storable_json(std::string_view json);

}  // namespace heiasync::fuzz
