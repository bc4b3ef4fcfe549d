#pragma once

#include <rapidjson/document.h>

#include <functional>
#include <string>
#include <string_view>

namespace heiasync::testing {

/// An answer of the simulator. Throws std::invalid_argument where it is no JSON.
rapidjson::Document parse(const std::string& answer);

/// Whose result it is.
struct Group {
    std::string scope;
    std::string team_id = "0";
    std::string tag_id = "0";
};

/// Every group of one survey round, an item of `instances`, with its result.
void for_each_group(const rapidjson::Value& instance,
                    const std::function<void(const Group& group, const rapidjson::Value& result)>& use);

/// The name, in a list of teams or tags, of the one that has this id; null where none has.
const rapidjson::Value& name_of(const rapidjson::Value& list, std::string_view id);

}  // namespace heiasync::testing
