#pragma once

#include "core/instant.hpp"
#include "history/organisations.hpp"
#include "history/sync_runs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::sync {

/// Why a run ended before it had asked everything.
enum class EarlyEnd {
    none,
    busy,       ///< another run of this database is going on
    overtaken,  ///< since it was decided on, the date has ended or another run has come between
    credentials_rejected,
    api_unavailable,
    database_unavailable,
    replaced,  ///< the database's server is another one now: what it has not received is fetched by another run
    schema_unusable,
    clock_skew,  ///< our clock and the server's or the database's are too far apart
    date_over,   ///< two hours after the end of run_on (rule 1)
    stopped,     ///< by a signal
    bug
};

struct TaskCounts {
    std::int64_t done = 0;
    std::int64_t skipped = 0;
    std::int64_t failed = 0;
};

struct RunReport {
    std::int64_t sync_run_id = 0;  ///< 0: it could not even be recorded
    bool is_closed = false;        ///< the ledger has its end; where not, the next run writes down that it has ended
    core::Date run_on{};
    history::RunStatus status = history::RunStatus::running;
    EarlyEnd early_end = EarlyEnd::none;
    std::optional<std::string> error;
    std::int64_t organisations = 0;                       ///< worked on
    history::Trigger trigger = history::Trigger::manual;  ///< resume where it continued another
    history::ListingChanges listing_changes;
    std::int64_t held_back = 0;   ///< organisations that the listing lacked and that were not removed
    bool refused_before = false;  ///< a run that it went on from was refused something for good
    std::map<history::Stream, TaskCounts> tasks;
    std::string periods_reason;            ///< why energy levels were due, or why not
    std::vector<std::int64_t> not_listed;  ///< organisations that were asked for and are not listed
    core::Instant started_at{};
    core::Instant finished_at{};

    [[nodiscard]] std::int64_t failures() const;
};

/// What a run that has ended is called, by all that its report says but its status.
history::RunStatus status_of(const RunReport& report);

}  // namespace heiasync::sync
