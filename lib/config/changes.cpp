#include "config/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace heiasync::config {
namespace {

/// Path and value of a key that has one: `api.retry.attempts`, `5`.
using Entry = std::pair<std::string, std::string>;

constexpr std::size_t indentation = 2;

std::vector<Entry> entries(const Config& config) {
    std::vector<Entry> result;
    std::vector<std::string> path;
    std::istringstream lines{print(config)};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t begin = line.find_first_not_of(' ');
        const std::size_t colon = line.find(':', begin);
        path.resize(begin / indentation);
        path.push_back(line.substr(begin, colon - begin));
        if (colon + 1 < line.size()) {
            result.emplace_back(fmt::format("{}", fmt::join(path, ".")), line.substr(colon + 2));
        }
    }
    return result;
}

std::string value_in(const std::vector<Entry>& entries, const std::string& key) {
    const auto found = std::ranges::find(entries, key, &Entry::first);
    return found == entries.end() ? "not set" : found->second;
}

}  // namespace

std::vector<std::string> changes(const Config& before, const Config& after) {
    const std::vector<Entry> old_entries = entries(before);
    const std::vector<Entry> new_entries = entries(after);
    std::vector<std::string> result;
    for (const auto& [key, value] : new_entries) {
        const std::string old_value = value_in(old_entries, key);
        if (old_value != value) {
            result.push_back(fmt::format("{}: {} -> {}", key, old_value, value));
        }
    }
    const auto note = [&result](const char* key, bool differs) {
        const auto told = [key](const std::string& change) { return change.starts_with(std::string{key} + ":"); };
        if (differs && std::ranges::none_of(result, told)) {
            result.push_back(fmt::format("{} changed", key));
        }
    };
    note("database.url", before.database.url != after.database.url);
    note("database.owner_url", before.database.owner_url != after.database.owner_url);
    return result;
}

}  // namespace heiasync::config
