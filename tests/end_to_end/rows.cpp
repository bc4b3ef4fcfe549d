#include "rows.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace heiasync::testing {

namespace {

constexpr std::size_t differences_shown = 20;

std::string canonical_number(double number) {
    constexpr double exactly_an_integer_below = 9007199254740992.0;
    const bool integral = std::nearbyint(number) == number && std::abs(number) < exactly_an_integer_below;
    return integral ? fmt::format("{}", static_cast<std::int64_t>(number)) : fmt::format("{}", number);
}

using RowsByKey = std::map<std::string, Row>;

void put(RowsByKey& rows, const std::vector<std::string>& key, Row row, std::string& complaints) {
    std::string name;
    for (const auto& column : key) {
        name += fmt::format("{}={} ", column, row.at(column));
    }
    if (!rows.emplace(name, std::move(row)).second) {
        complaints += fmt::format("twice: {}\n", name);
    }
}

}  // namespace

std::string canonical(bool truth) {
    return truth ? "true" : "false";
}

std::string canonical(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

std::string canonical(const rapidjson::Value& value) {
    switch (value.GetType()) {
        case rapidjson::kNullType:
            return "null";
        case rapidjson::kFalseType:
        case rapidjson::kTrueType:
            return canonical(value.GetBool());
        case rapidjson::kNumberType:
            return value.IsInt64() ? canonical(value.GetInt64()) : canonical_number(value.GetDouble());
        case rapidjson::kStringType:
            return canonical(std::string_view{value.GetString(), value.GetStringLength()});
        case rapidjson::kArrayType: {
            std::string text;
            for (const auto& item : value.GetArray()) {
                text += (text.empty() ? "" : ", ") + canonical(item);
            }
            return "[" + text + "]";
        }
        case rapidjson::kObjectType:
            break;
    }
    std::string text;
    for (const auto& [name, member] : row_of(value)) {
        text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name, member);
    }
    return "{" + text + "}";
}

std::string canonical_time(const rapidjson::Value& value) {
    if (value.IsNull()) {
        return "null";
    }
    std::string text{value.GetString(), value.GetStringLength()};
    if (text.ends_with('Z')) {
        text.replace(text.size() - 1, 1, "+00:00");
    }
    std::istringstream stream{text};
    date::sys_seconds time{};
    stream >> date::parse("%FT%T%Ez", time);
    if (!stream) {
        throw std::invalid_argument{text + " is no ISO 8601 time"};
    }
    return canonical(date::format("%FT%T+00:00", time));
}

const rapidjson::Value& member(const rapidjson::Value& object, const char* name) {
    static const rapidjson::Value null;
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() ? null : found->value;
}

Row row_of(const rapidjson::Value& object) {
    Row row;
    for (const auto& [name, value] : object.GetObject()) {
        row.emplace(name.GetString(), canonical(value));
    }
    return row;
}

std::string difference(const std::vector<Row>& expected, const rapidjson::Value& actual,
                       const std::vector<std::string>& key) {
    std::string complaints;
    RowsByKey wanted;
    for (const auto& row : expected) {
        put(wanted, key, row, complaints);
    }
    RowsByKey stored;
    for (const auto& row : actual.GetArray()) {
        put(stored, key, row_of(row), complaints);
    }
    std::size_t count = 0;
    const auto complain = [&](const std::string& complaint) {
        if (++count <= differences_shown) {
            complaints += complaint;
        }
    };
    for (const auto& [name, row] : wanted) {
        const auto found = stored.find(name);
        if (found == stored.end()) {
            complain(fmt::format("missing: {}\n", name));
            continue;
        }
        for (const auto& [column, value] : row) {
            const auto cell = found->second.find(column);
            if (cell == found->second.end()) {
                complain(fmt::format("{}has no column {}\n", name, column));
            } else if (cell->second != value) {
                complain(fmt::format("{}{}: expected {}, stored {}\n", name, column, value, cell->second));
            }
        }
        for (const auto& [column, value] : found->second) {
            if (!row.contains(column)) {
                complain(fmt::format("{}nobody expected a column {}\n", name, column));
            }
        }
    }
    for (const auto& [name, row] : stored) {
        if (!wanted.contains(name)) {
            complain(fmt::format("unexpected: {}\n", name));
        }
    }
    return count <= differences_shown ? complaints : complaints + fmt::format("... {} differences\n", count);
}

}  // namespace heiasync::testing
