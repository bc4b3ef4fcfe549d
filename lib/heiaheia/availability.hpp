#pragma once

#include <optional>

namespace heiasync::heiaheia {

/// Whether the server is there, judged by how its calls end (rule 8 of docs/rules.md).
class Availability {
public:
    enum class Outcome {
        success,
        refusal,     ///< an answer, if not the one asked for
        unreachable  ///< no answer, or one that says that the server is not there: 502, 503, 504
    };

    /// So many calls in a row that ended `unreachable` end a run.
    static constexpr int last_straw = 5;

    void note(Outcome outcome) {
        in_a_row_ = outcome == Outcome::unreachable ? in_a_row_ + 1 : 0;
        in_doubt_ = outcome == Outcome::unreachable || (in_doubt_ && outcome != Outcome::success);
    }

    /// How often the next call may be tried: once until one succeeds; none where the settings decide.
    [[nodiscard]] std::optional<int> attempts() const { return in_doubt_ ? std::optional{1} : std::nullopt; }

    [[nodiscard]] bool given_up() const { return in_a_row_ >= last_straw; }

private:
    int in_a_row_ = 0;
    bool in_doubt_ = false;
};

}  // namespace heiasync::heiaheia
