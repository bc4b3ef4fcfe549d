#pragma once

#include "core/clock.hpp"
#include "heiaheia/admin_api.hpp"
#include "history/database.hpp"
#include "history/organisations.hpp"
#include "history/sync_runs.hpp"
#include "sync/plan.hpp"
#include "sync/run_report.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spdlog {
class logger;
}

namespace heiasync::sync {

/// What a run goes by: the part of the configuration that decides what is asked and what is expected.
struct RunSettings {
    history::Settings expected;  ///< recorded in settings_history
    PeriodSettings periods;
    int max_vanished_percent = 20;  ///< of the organisations, that a listing may lack at once (rule 9)
    bool outlives_outages = false;  ///< waits for a database that is away, until its date is over; else it ends
    bool rehearsal = false;         ///< the clock is simulated: the history is marked so
    std::string host;
    std::string version;
};

/// What the ledger said when a run was decided on.
struct Decided {
    core::Date run_on{};
    std::int64_t last_run = 0;  ///< of that date, over all organisations and streams; 0 where it had none
};

/// What a run is asked to do.
struct RunRequest {
    history::Trigger trigger = history::Trigger::manual;
    /// The slot of its date. Such a run leaves out what the runs that count for the slot have settled; without it, a
    /// run leaves out what the interrupted ones that it continues have.
    std::optional<core::Instant> scheduled_for;
    std::optional<Decided> decided;  ///< the run is overtaken where the ledger or the date says something else now
    Streams streams;
    std::vector<std::int64_t> organisations;  ///< empty: all that are listed
    std::optional<core::Date>
        period_month;  ///< energy levels of the period with this month (its first day), however late
    std::optional<std::string> limited_to;  ///< the three above, as on the command line; unset: nothing is left out
    bool accept_vanished = false;           ///< organisations that the listing lacks are gone, however many
};

/// What the HTTP client saw; counted by whoever owns the client.
struct Traffic {
    std::int64_t requests = 0;
    std::int64_t bytes_received = 0;
    std::int64_t retries = 0;  ///< requests that failed and were repeated
};

/// How far a run is.
struct Progress {
    std::int64_t organisations_done = 0;
    std::int64_t organisations = 0;
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    std::int64_t sync_run_id = 0;
};

/// What a run works with. All of it must outlive the run.
struct RunContext {
    boost::asio::any_io_executor executor;
    core::Clock& clock;
    heiaheia::AdminApi& api;
    history::Database& database;
    spdlog::logger& log;
    const Traffic& traffic;
    std::function<void(const Progress&)> on_progress;  ///< may be empty
    /// Hears why the database is away, each time that it was tried, and nothing once it is back. May be empty.
    std::function<void(const std::optional<std::string>& why)> on_outage{};
};

/// One run: opens its row in the ledger, gets a token, reads the whole listing, plans, and works off the plan
/// organisation by organisation. What fails for one organisation is a task of the ledger and nothing else. Never throws
/// for the world's faults: the report says how it ended. A cancellation ends it with what was handed to the writer
/// stored.
boost::asio::awaitable<RunReport> run(RunContext context, RunSettings settings, RunRequest request);

}  // namespace heiasync::sync
