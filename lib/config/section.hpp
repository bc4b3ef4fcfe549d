#pragma once

#include "config/notes.hpp"

#include <yaml-cpp/yaml.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::config {

/// One mapping of the file, read key by key. What is wrong becomes a note and leaves the target as it was, so that
/// reading goes on and finds the next mistake.
class Section {
public:
    /// `name` is the path to the mapping, such as `api.retry`; empty for the whole file. Null stands for an empty
    /// mapping: that is what a section looks like whose keys are all commented out.
    Section(std::string name, Place place, const YAML::Node& node, Notes& mistakes);

    /// Where the key is given: target = parse(its node). `parse` throws std::invalid_argument with what it expects.
    /// Returns false where it did.
    template <class Target, class Parse>
    bool read(std::string_view key, Target& target, const Parse& parse) {
        const Entry* const entry = find(key);
        if (entry == nullptr) {
            return true;
        }
        try {
            target = parse(entry->value);
            return true;
        } catch (const std::invalid_argument& error) {
            mistake(key, error.what());
            return false;
        }
    }

    /// As read(), but a missing key is a mistake.
    template <class Target, class Parse>
    void require(std::string_view key, Target& target, const Parse& parse) {
        if (find(key) == nullptr) {
            mistake(key, "is required");
        }
        read(key, target, parse);
    }

    /// The mapping under a key; an empty one where the key is missing.
    [[nodiscard]] Section section(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) { return find(key) != nullptr; }

    /// Where the key's value stands, or the key itself where that is null; the section's place where the key is
    /// missing.
    [[nodiscard]] Place place(std::string_view key);

    /// Notes something wrong with the value of a key.
    void mistake(std::string_view key, std::string_view message);

    /// To be called when every key has been asked for: what was not asked for is unknown.
    void finish();

private:
    struct Entry {
        std::string key;
        Place place;
        YAML::Node value;
        bool known = false;
    };

    void add(const YAML::Node& key, const YAML::Node& value);
    Entry* find(std::string_view key);
    [[nodiscard]] std::string path(std::string_view key) const;

    std::string name_;
    Place place_;
    Notes& mistakes_;
    std::vector<Entry> entries_;
    std::vector<std::string> known_;
};

}  // namespace heiasync::config
