#pragma once

#include "core/instant.hpp"
#include "history/database.hpp"
#include "history/sync_runs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What the ledger says of how things stand, for those who watch. All of it only reads.
namespace heiasync::history {

/// A run as the ledger has it.
struct RunRecord {
    std::int64_t sync_run_id = 0;
    Trigger trigger = Trigger::manual;
    core::Date run_on{};
    std::optional<core::Instant> scheduled_for;
    core::Instant started_at{};
    std::optional<core::Instant> finished_at;  ///< unset for one that died, until the next run has closed it
    RunStatus status = RunStatus::running;     ///< interrupted also for one that died and is not closed yet
    std::int64_t organisations = 0;
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    std::int64_t bytes_received = 0;
    std::optional<std::string> error;
    std::string host;
    std::string version;
    std::optional<std::string> limited_to;
};

/// The newest runs, of one date where that is wanted, the newest first.
std::vector<RunRecord> last_runs(Transaction& transaction, int count, std::optional<core::Date> run_on = {});

/// For each stream, when the last run over all organisations and streams ended that was not cut short and after which
/// nothing of the stream was left failed on its date.
std::map<Stream, std::optional<core::Instant>> last_successes(Transaction& transaction);

/// What failed on a date and was neither done nor skipped by any run of that date.
struct OpenFailure : TaskKey {
    std::optional<std::string> reason;  ///< of the last attempt, as all below
    std::optional<int> http_status;
};

/// By stream, organisation and business id.
std::vector<OpenFailure> open_failures(Transaction& transaction, core::Date run_on);

/// How many fields of the API are known that are not as its description says: the rows of schema_drift.
std::int64_t count_drift(Transaction& transaction);

/// In a rehearsal's history, the simulated time last seen.
std::optional<core::Instant> simulated_now(Transaction& transaction);

}  // namespace heiasync::history
