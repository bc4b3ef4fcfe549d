#include "fuzz/decoding.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace heiasync::fuzz {

namespace {

/// Of all reasons there are. Numbers besides.
constexpr auto words = std::to_array<std::string_view>({"`access_token`",
                                                        "`id`",
                                                        "`instances`",
                                                        "`items`",
                                                        "`name`",
                                                        "`questions`",
                                                        "64",
                                                        "JSON",
                                                        "a",
                                                        "an",
                                                        "array",
                                                        "bits",
                                                        "boolean",
                                                        "business",
                                                        "deeply",
                                                        "document",
                                                        "early",
                                                        "empty",
                                                        "ends",
                                                        "entries",
                                                        "exactly",
                                                        "expected",
                                                        "figures",
                                                        "follows",
                                                        "found",
                                                        "has",
                                                        "holds",
                                                        "id",
                                                        "instance",
                                                        "integer",
                                                        "is",
                                                        "items",
                                                        "characters",
                                                        "know",
                                                        "missing",
                                                        "more",
                                                        "nested",
                                                        "no",
                                                        "none",
                                                        "not",
                                                        "null",
                                                        "number",
                                                        "object",
                                                        "of",
                                                        "offset",
                                                        "on",
                                                        "one",
                                                        "page",
                                                        "something",
                                                        "string",
                                                        "than",
                                                        "that",
                                                        "the",
                                                        "time",
                                                        "token",
                                                        "too",
                                                        "we",
                                                        "with"});

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_known(std::string_view word) {
    return std::ranges::find(words, word) != words.end() || std::ranges::all_of(word, is_digit);
}

bool is_known_reason(std::string_view reason) {
    while (!reason.empty()) {
        const auto word = reason.substr(0, reason.find_first_of(", "));
        if (!is_known(word)) {
            return false;
        }
        reason.remove_prefix(std::min(reason.size(), reason.find_first_not_of(", ", word.size())));
    }
    return true;
}

/// Steps that are one line of ASCII and not long; a number is an index.
bool is_short_pointer(std::string_view pointer) {
    constexpr std::size_t longest = 1'200;
    return pointer.size() < longest && (pointer.empty() || pointer.starts_with('/')) &&
           std::ranges::all_of(pointer, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

void require_discreet(const documents::DecodeError& error, std::string_view operation) {
    require(error.operation() == operation, "an error names the operation");
    require(is_short_pointer(error.json_pointer()), "an error's JSON pointer is a short line");
    std::string place{operation};
    if (!error.json_pointer().empty()) {
        place += ": " + error.json_pointer();
    }
    place += ": ";
    const std::string_view what = error.what();
    require(what.starts_with(place), "an error names the place");
    require(is_known_reason(what.substr(place.size())), "an error has a reason of ours");
}

void require_sound(const std::vector<documents::Drift>& drift) {
    constexpr std::size_t most = 200;
    require(drift.size() <= most, "the drift of an answer is limited");
    require(std::set<documents::Drift>{drift.begin(), drift.end()}.size() == drift.size(), "no drift stands twice");
    for (const auto& each : drift) {
        require(is_short_pointer(each.json_pointer), "the JSON pointer of drift is a short line");
        require(is_known(each.sample_type), "the type of drift is one of JSON's");
    }
}

}  // namespace heiasync::fuzz
