#include "core/nearest.hpp"

#include <algorithm>

namespace heiasync::core {

namespace {

/// Optimal string alignment distance, row by row.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before_previous;
    std::vector<std::size_t> previous(right.size() + 1);
    std::vector<std::size_t> current(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) {
        previous[j] = j;
    }
    for (std::size_t i = 1; i <= left.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) {
                current[j] = std::min(current[j], before_previous[j - 2] + 1);
            }
        }
        before_previous = previous;
        previous = current;
    }
    return previous[right.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t farthest = 2;
    std::optional<std::string> best;
    std::size_t best_distance = farthest + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t steps = distance(word, candidate);
        if (steps < best_distance && 2 * steps < word.size()) {
            best = candidate;
            best_distance = steps;
        }
    }
    return best;
}

}  // namespace heiasync::core
