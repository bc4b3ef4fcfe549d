#pragma once

#include <rapidjson/document.h>

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// JSON in one spelling: members sorted by name, numbers by value, so that equal values are equal texts.
std::string canonical(const rapidjson::Value& value);
template <std::integral Integer>
requires(!std::same_as<Integer, bool>) std::string canonical(Integer number) {
    return std::to_string(number);
}
std::string canonical(bool truth);
std::string canonical(std::string_view text);
inline std::string canonical(const char* text) {
    return canonical(std::string_view{text});
}

/// An ISO 8601 time with any offset, in the spelling of row_to_json() where the session's zone is UTC; `null` for null.
std::string canonical_time(const rapidjson::Value& value);

/// A member, and null where the object has none of that name.
const rapidjson::Value& member(const rapidjson::Value& object, const char* name);

/// The canonical JSON of each column by its name.
using Row = std::map<std::string, std::string>;

Row row_of(const rapidjson::Value& object);

/// What differs between expected and actual rows, in words; empty where they are the same, column for column. Rows
/// belong together where the columns of `key` are equal.
std::string difference(const std::vector<Row>& expected, const rapidjson::Value& actual,
                       const std::vector<std::string>& key);

}  // namespace heiasync::testing
