#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "history/sync_runs.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace heiasync::history {

/// The streams, in the order of a run.
inline constexpr std::array all_streams{Stream::organisations, Stream::usage_stats, Stream::energy_levels,
                                        Stream::reports};

/// What is missing.
struct Gaps {
    std::int64_t open = 0;   ///< and can still be had
    std::int64_t final = 0;  ///< for good
};

/// What decides what is missing, besides the ledger.
struct Expectation {
    core::Date today{};
    calendar::Slot last_due;  ///< the last slot that was due
    bool energy_levels_per_business_id = true;
    std::vector<calendar::Period> due;   ///< periods whose energy levels are pulled today
    std::vector<calendar::Period> past;  ///< closed earlier, of the last 400 days
};

/// What the ledger says of how things stand, in figures.
struct Standing {
    std::map<Stream, std::optional<core::Instant>> last_successes;  ///< last_successes()
    std::map<Stream, Gaps> gaps;                                    ///< of the last 400 days
    bool period_missing = false;     ///< energy levels of a period that is due are neither stored nor skipped
    std::int64_t organisations = 0;  ///< that are listed
    std::int64_t held_back = 0;      ///< of those, how many the last listing lacked (rule 9)
    int schema_version = 0;          ///< of the last migration
    std::chrono::microseconds clock_difference{0};  ///< how far the server's clock is ahead of `now`
};

/// Only reads.
///
/// A gap is a task of the last due date that failed and was neither done nor skipped on it (open_failures()), and what
/// was never asked of a date whose run did not come to its end. With its date the listing and the usage statistics are
/// lost, with the lateness of its period an energy level; a report is asked again every day.
Standing standing(Transaction& transaction, const Expectation& expected, core::Instant now);

}  // namespace heiasync::history
