#pragma once

#include "core/secret.hpp"

#include <yaml-cpp/yaml.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a value of the configuration may be: functions from a YAML node to the value, made to be handed to
/// Section::read(). Each throws std::invalid_argument with a sentence that says what is expected and repeats nothing of
/// what was found, because that may be a secret in the wrong place.
namespace heiasync::config {

/// `; did you mean "word"?`, or nothing where no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// A text of at least one character, none of them a control character.
std::string text(const YAML::Node& node);

/// `true` or `false`, and nothing else that YAML has for it.
bool boolean(const YAML::Node& node);

/// A whole number in decimal.
class Integer {
public:
    Integer(int least, int most) : least_{least}, most_{most} {}
    int operator()(const YAML::Node& node) const;

private:
    int least_;
    int most_;
};

/// One of some whole numbers.
class IntegerOf {
public:
    IntegerOf(std::initializer_list<int> allowed) : allowed_{allowed} {}
    int operator()(const YAML::Node& node) const;

private:
    std::vector<int> allowed_;
};

/// A list of at least one of some whole numbers, none of them twice; sorted.
class IntegersOf {
public:
    IntegersOf(std::initializer_list<int> allowed) : item_{allowed} {}
    std::vector<int> operator()(const YAML::Node& node) const;

private:
    IntegerOf item_;
};

class Duration {
public:
    Duration(std::chrono::milliseconds least, std::chrono::milliseconds most) : least_{least}, most_{most} {}
    std::chrono::milliseconds operator()(const YAML::Node& node) const;

private:
    std::chrono::milliseconds least_;
    std::chrono::milliseconds most_;
};

class Size {
public:
    Size(std::uint64_t least, std::uint64_t most) : least_{least}, most_{most} {}
    std::uint64_t operator()(const YAML::Node& node) const;

private:
    std::uint64_t least_;
    std::uint64_t most_;
};

/// The index of a text among some words.
std::size_t index_of(const YAML::Node& node, const std::vector<std::string>& words);

/// One of some words, each standing for a value.
template <class Value, std::size_t count>
class Choice {
public:
    using Table = std::array<std::pair<std::string_view, Value>, count>;

    explicit Choice(Table table) : table_{std::move(table)} {}
    Value operator()(const YAML::Node& node) const {
        std::vector<std::string> words;
        for (const auto& [word, value] : table_) {
            words.emplace_back(word);
        }
        return table_.at(index_of(node, words)).second;
    }

private:
    Table table_;
};

/// null, or what `parse` takes.
template <class Parse>
auto optional(const Parse& parse) {
    return [parse](const YAML::Node& node) {
        using Value = decltype(parse(node));
        return node.IsNull() ? std::optional<Value>{} : std::optional<Value>{parse(node)};
    };
}

std::string email(const YAML::Node& node);
std::string base_url(const YAML::Node& node);
std::string proxy(const YAML::Node& node);
std::string listen_address(const YAML::Node& node);
std::string database_url(const YAML::Node& node);
std::string time_zone(const YAML::Node& node);

/// `HH:MM`, since midnight.
std::chrono::minutes time_of_day(const YAML::Node& node);

/// What stands where a secret may be written: `${VARIABLE}`, or the secret itself.
struct SecretText {
    std::optional<std::string> environment;
    std::optional<core::Secret> literal;
};
SecretText secret_text(const YAML::Node& node);

}  // namespace heiasync::config
