#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

namespace heiasync::simulator {

/// What a roll is for, so that two uses of the same organisation and day do not share their luck.
enum class Topic : std::uint64_t {
    organisation_id,
    name,
    joined,
    members,
    acceptance,
    growth,
    crossing,
    usage,
    share,
    business_id,
    teams,
    tags,
    cadence,
    round,
    viewed,
    regenerated,
    data_instance,
    participation,
    answers,
    points,
    texts,
    similarity
};

namespace detail {

/// The finaliser of splitmix64: every bit of the input moves every bit of the output.
constexpr std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

}  // namespace detail

/// Randomness without state: the same words give the same 64 bits, whenever and in whatever order they are asked for.
/// That is what makes the simulated world a pure function of seed and time.
template <std::integral... Words>
constexpr std::uint64_t roll(std::uint64_t seed, Topic topic, Words... words) {
    std::uint64_t hash = detail::mix(seed ^ detail::mix(static_cast<std::uint64_t>(topic)));
    ((hash = detail::mix(hash ^ static_cast<std::uint64_t>(words))), ...);
    return hash;
}

/// A text as a word to roll by (FNV-1a).
constexpr std::uint64_t digest(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char character : text) {
        hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
    }
    return hash;
}

/// A roll within [low, high].
template <std::integral... Words>
constexpr std::int64_t roll_between(std::int64_t low, std::int64_t high, std::uint64_t seed, Topic topic,
                                    Words... words) {
    return low + static_cast<std::int64_t>(roll(seed, topic, words...) % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace heiasync::simulator
