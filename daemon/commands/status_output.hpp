#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "history/gaps.hpp"
#include "history/status.hpp"
#include "status/daemon_report.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::commands {

/// What `heiasyncd status` has found out.
struct Overview {
    std::optional<status::DaemonReport> daemon;  ///< unset: none answered
    core::Instant now{};                         ///< of a rehearsal, where the history is one's
    const date::time_zone* zone = nullptr;       ///< in which times are shown
    core::Instant next_run{};
    std::vector<history::RunRecord> last_runs;
    std::map<history::Stream, std::optional<core::Instant>> last_successes;
    calendar::Slot due;  ///< the last one
    bool due_had_its_run = false;
    bool due_is_ready = false;
    std::vector<history::OpenFailure> open_failures;  ///< of the due date
    std::map<history::Stream, history::GapCount> gaps;
    std::int64_t drift = 0;  ///< rows of schema_drift

    [[nodiscard]] bool ready() const { return due_is_ready; }
};

/// What there is to say without the ledger. `listen` is where a daemon was asked.
void print_daemon(const std::optional<std::string>& listen, const std::optional<status::DaemonReport>& daemon);

/// The rest, for people.
void print_history(const Overview& overview);

void print_as_json(const Overview& overview);

}  // namespace heiasync::commands
