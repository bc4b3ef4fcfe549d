#pragma once

#include "core/instant.hpp"
#include "history/database.hpp"
#include "history/run_lock.hpp"
#include "history/sync_runs.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace heiasync::history {

/// A run over all organisations and streams.
struct DayRun {
    std::int64_t sync_run_id = 0;
    std::optional<core::Instant> scheduled_for;
    core::Instant started_at{};
    std::optional<core::Instant> finished_at;
    RunStatus status = RunStatus::running;  ///< running: by a process that lives
    bool ended_early = false;               ///< before it had asked everything
};

/// What the ledger says of a local date.
struct DayState {
    std::vector<DayRun> runs;  ///< over all organisations and streams, in the order of their start
    /// Something that the slot's runs owed is left, and asking again may mend it: one of them ended early, or a task
    /// failed with anything but 400, 403 or 404.
    bool mendable = false;
};

/// Whether a run counts for the slot of its date: it was started for one, or after it.
bool counts_for(const DayRun& run, core::Instant slot);

/// The runs of a date over all organisations and streams, in the order of their start, as the ledger has them: one that
/// died may still be running there.
std::vector<DayRun> whole_runs(Transaction& transaction, core::Date run_on);

/// Whether the slot of a date has had its run: one that counts for it and has asked everything.
bool had_its_run(const std::vector<DayRun>& runs, core::Instant slot);

/// The runs that count for the slot, by id.
std::vector<std::int64_t> slot_runs(Transaction& transaction, core::Date run_on, core::Instant slot);

/// Reads the state of a date whose slot this is. Runs that died, on any date, are closed on the way, as of
/// `taker.taken_at`, who has the run lock for that moment.
DayState day_state(Transaction& transaction, core::Date run_on, core::Instant slot, const LockTaker& taker);

/// The newest run of a date over all organisations and streams; 0 where it has none.
std::int64_t last_whole_run(Transaction& transaction, core::Date run_on);

}  // namespace heiasync::history
