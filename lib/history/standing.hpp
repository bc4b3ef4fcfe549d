#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "history/gaps.hpp"
#include "history/status.hpp"
#include "history/sync_runs.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace heiasync::history {

/// What decides whether energy levels are missing, besides the ledger.
struct Expectation {
    bool energy_levels_per_business_id = true;
    std::vector<calendar::Period> due;  ///< periods whose energy levels are pulled today
};

/// What the ledger says of how things stand, in figures.
struct Standing {
    std::map<Stream, std::optional<core::Instant>> last_successes;  ///< last_successes()
    std::vector<RunRecord> last_runs;                               ///< ten at most, the newest first
    std::map<Stream, GapCount> gaps;                                ///< GapCounter
    bool period_missing = false;     ///< energy levels of a period that is due are neither stored nor skipped
    std::int64_t organisations = 0;  ///< that are listed
    std::int64_t held_back = 0;      ///< of those, how many the last listing lacked (rule 9)
    int schema_version = 0;          ///< of the last migration
    std::chrono::microseconds clock_difference{0};  ///< how far the server's clock is ahead of `now`
};

/// Only reads.
Standing standing(Transaction& transaction, const Expectation& expected, core::Instant now, GapCounter& gaps);

}  // namespace heiasync::history
