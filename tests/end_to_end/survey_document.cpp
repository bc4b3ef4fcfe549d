#include "survey_document.hpp"

#include "rows.hpp"

#include <stdexcept>

namespace heiasync::testing {

using rapidjson::Value;

rapidjson::Document parse(const std::string& answer) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseFullPrecisionFlag>(answer.data(), answer.size());
    if (document.HasParseError()) {
        throw std::invalid_argument{"the simulator's answer is no JSON"};
    }
    return document;
}

void for_each_group(const Value& instance, const std::function<void(const Group& group, const Value& result)>& use) {
    const auto use_tags = [&](const std::string& scope, const std::string& team_id, const Value& tags) {
        if (tags.IsObject()) {
            for (const auto& [id, result] : tags.GetObject()) {
                use({scope, team_id, id.GetString()}, result);
            }
        }
    };
    use({"global"}, instance["global"]);
    use({"organisation"}, instance["organisation"]);
    for (const auto& [id, result] : instance["teams"].GetObject()) {
        use({"team", id.GetString()}, result);
        use_tags("team_tag", id.GetString(), member(result, "tags"));
    }
    use_tags("tag", "0", member(instance, "tags"));
}

const Value& name_of(const Value& list, std::string_view id) {
    for (const auto& item : list.GetArray()) {
        if (std::to_string(item["id"].GetInt64()) == id) {
            return item["name"];
        }
    }
    static const Value null;
    return null;
}

}  // namespace heiasync::testing
