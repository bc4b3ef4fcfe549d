#include "config/notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace heiasync::config {

Place::Place(const YAML::Mark& mark) {
    if (!mark.is_null()) {
        line = mark.line + 1;
        column = mark.column + 1;
    }
}

void Notes::add(Place place, std::string message) {
    notes_.push_back({place, std::move(message)});
}

std::vector<std::string> Notes::lines(const std::filesystem::path& file) const {
    std::vector<Note> sorted = notes_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Note& left, const Note& right) { return left.place < right.place; });
    std::vector<std::string> lines;
    lines.reserve(sorted.size());
    for (const auto& [place, message] : sorted) {
        lines.push_back(fmt::format("{}:{}:{}: {}", file.string(), place.line, place.column, message));
    }
    return lines;
}

}  // namespace heiasync::config
