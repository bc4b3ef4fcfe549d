#pragma once

#include "core/bytes.hpp"
#include "documents/decode_error.hpp"
#include "documents/drift.hpp"
#include "fuzz/json.hpp"
#include "fuzz/property.hpp"
#include "support/piecewise_source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What holds for every decoder.
namespace heiasync::fuzz {

/// Names the operation, a spot and one of our own reasons, and shows nothing that stands there.
void require_discreet(const documents::DecodeError& error, std::string_view operation);

/// Few, no two the same, and as short as the ledger has room for.
void require_sound(const std::vector<documents::Drift>& drift);

template <class Value>
struct Outcome {
    std::optional<Value> value;
    std::string error;  ///< empty where there is a value

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class Decode>
auto outcome_of(Decode decode, core::ByteSource& source, std::string_view operation)
    -> Outcome<decltype(decode(source))> {
    try {
        return {decode(source), {}};
    } catch (const documents::DecodeError& error) {
        require_discreet(error, operation);
        return {std::nullopt, error.what()};
    }
}

/// What the text is decoded to, whatever the pieces it comes in. Nothing where it is refused.
template <class Decode>
auto decode_text(Decode decode, std::string_view text, std::string_view operation) {
    core::StringSource whole{text};
    auto outcome = outcome_of(decode, whole, operation);
    constexpr std::size_t short_text = 256;
    core::PiecewiseSource pieces{text, text.size() < short_text ? 1U : 13U};
    require(outcome_of(decode, pieces, operation) == outcome, "the pieces of an answer make no difference");
    return std::move(outcome.value);
}

}  // namespace heiasync::fuzz
