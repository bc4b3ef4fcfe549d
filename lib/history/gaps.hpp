#pragma once

#include "core/instant.hpp"
#include "history/sync_runs.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What should be in the history and is not (rules 6 and 7 of docs/rules.md). The schema decides; this reads.
namespace heiasync::history {

/// An expected piece of history that is missing. The report version of a gap is told apart by `generated_at`.
struct Gap : TaskKey {
    core::Date expected_on{};
    std::optional<core::Date> period_end;
    bool is_open = false;  ///< it may still be filled
    std::string reason;    ///< a code of docs/rules.md
    std::optional<std::string> last_error;
    std::optional<core::Instant> last_attempt_at;
    std::optional<core::Instant> generated_at;
};

/// The gaps of a date, by stream, organisation and business id.
std::vector<Gap> gaps(Transaction& transaction, core::Date date);

/// The dates of a history from its first to that of now, both inclusive.
struct HistoryDates {
    core::Date first{};
    core::Date today{};
};
/// Unset where no history has begun.
std::optional<HistoryDates> history_dates(Transaction& transaction);

/// The streams, in the order of a run.
inline constexpr std::array all_streams{Stream::organisations, Stream::usage_stats, Stream::energy_levels,
                                        Stream::reports};

struct GapCount {
    std::int64_t open = 0;
    std::int64_t final = 0;
};

/// How many gaps the last 400 days have, of every stream. Today counts once a run over everything has ended on it: a
/// slot that waits for its run, or has it now, is no gap.
///
/// Who counts again and again keeps one: it looks at a date no more once nothing can fill or add a gap of it, as long
/// as nothing is erased. It is for one history; what was changed there by hand shows within a day.
class GapCounter {
public:
    std::map<Stream, GapCount> count(Transaction& transaction);

private:
    using Counts = std::map<Stream, GapCount>;

    std::map<core::Date, Counts> settled_;
    std::string erasures_;  ///< as they were when those were counted
    std::chrono::steady_clock::time_point since_;
};

/// How it stands with a date, by the settings that decide about it.
struct DateState {
    std::string time_zone;
    std::optional<core::Instant> slot;  ///< unset for a date that the zone skips, and where no history has begun
    /// The slot has had its run and no gap is open; unset before the history begins and for a date that the zone skips.
    std::optional<bool> ready;
    std::optional<bool> complete;  ///< ready, and no gap at all
};
DateState date_state(Transaction& transaction, core::Date date);

}  // namespace heiasync::history
