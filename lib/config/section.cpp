#include "config/section.hpp"

#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace heiasync::config {
namespace {

/// The beginning of an unknown key that looks like one. `{client_secret:abc}` without the blank is a key with a secret
/// in it.
std::string shown(const std::string& key) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const auto end = key.find_first_not_of(letters);
    return end == std::string::npos ? key : key.substr(0, end) + "...";
}

}  // namespace

Section::Section(std::string name, Place place, const YAML::Node& node, Notes& mistakes)
    : name_{std::move(name)}, place_{place}, mistakes_{mistakes} {
    if (node.IsMap()) {
        for (const auto& entry : node) {
            add(entry.first, entry.second);
        }
    } else if (node.IsDefined() && !node.IsNull()) {
        mistakes_.add(Place{node.Mark()}, name_.empty()
                                              ? std::string{"expected a mapping, such as \"log: {level: info}\""}
                                              : fmt::format("{}: expected a mapping of keys to values", name_));
    }
}

void Section::add(const YAML::Node& key, const YAML::Node& value) {
    const Place place{key.Mark()};
    if (!key.IsScalar()) {
        mistakes_.add(place, "expected a key that is a single word");
        return;
    }
    const auto same =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key.Scalar(); });
    if (same != entries_.end()) {
        mistakes_.add(place,
                      fmt::format("{} is given twice, first in line {}", path(shown(same->key)), same->place.line));
        return;
    }
    entries_.push_back({key.Scalar(), place, value});
}

Section Section::section(std::string_view key) {
    const Entry* const entry = find(key);
    return entry == nullptr ? Section{path(key), place_, YAML::Node{}, mistakes_}
                            : Section{path(key), entry->place, entry->value, mistakes_};
}

Place Section::place(std::string_view key) {
    const Entry* const entry = find(key);
    if (entry == nullptr) {
        return place_;
    }
    return entry->value.IsNull() ? entry->place : Place{entry->value.Mark()};
}

void Section::mistake(std::string_view key, std::string_view message) {
    mistakes_.add(place(key), fmt::format("{}: {}", path(key), message));
}

void Section::finish() {
    for (const Entry& entry : entries_) {
        if (!entry.known) {
            mistakes_.add(entry.place,
                          fmt::format("unknown key {}{}", path(shown(entry.key)), did_you_mean(entry.key, known_)));
        }
    }
}

Section::Entry* Section::find(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        known_.emplace_back(key);
    }
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [key](const Entry& entry) { return entry.key == key; });
    if (found == entries_.end()) {
        return nullptr;
    }
    found->known = true;
    return &*found;
}

std::string Section::path(std::string_view key) const {
    return name_.empty() ? std::string{key} : fmt::format("{}.{}", name_, key);
}

}  // namespace heiasync::config
