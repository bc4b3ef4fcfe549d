#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "documents/decode.hpp"
#include "history/database.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace heiasync::history {

/// Organisation and business id ('' for the whole): whose figures a call asks for.
using Subject = std::pair<std::int64_t, std::string>;

enum class Trigger { schedule, catch_up, retry, resume, manual };
enum class RunStatus { running, succeeded, partial, failed, interrupted };
enum class Stream { organisations, usage_stats, energy_levels, reports };
enum class TaskStatus { done, skipped, failed };

/// As the database and the command line write it: `usage-stats` on the command line, `usage_stats` in the database.
std::string_view to_string(Trigger trigger);
std::string_view to_string(RunStatus status);
std::string_view to_string(Stream stream);
std::string_view to_string(TaskStatus status);
// The way back. Each throws std::logic_error for a word that stands for nothing.
Trigger trigger_of(std::string_view name);
RunStatus run_status_of(std::string_view name);
Stream stream_of(std::string_view name);
TaskStatus task_status_of(std::string_view name);

struct NewRun {
    Trigger trigger = Trigger::manual;
    core::Date run_on{};                         ///< the local date of its start
    std::optional<core::Instant> scheduled_for;  ///< the slot; unset for a manual run
    std::optional<std::string> limited_to;       ///< the options that limited it; unset: all organisations and streams
    core::Instant started_at{};
    std::string host;
    std::string version;
};

struct RunSummary {
    core::Instant finished_at{};
    RunStatus status = RunStatus::succeeded;
    std::int64_t organisations = 0;
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    std::int64_t bytes_received = 0;
    std::optional<std::string> error;  ///< why the run as a whole ended early
};

/// What tells the tasks of a run apart.
struct TaskKey {
    std::int64_t organisation_id = 0;  ///< 0 for the listing of the organisations
    std::string business_id;           ///< '' for the whole organisation
    Stream stream = Stream::organisations;
    std::optional<core::Date> period_start;
    std::optional<std::int64_t> report_id;  ///< unset for the listing of the reports

    friend bool operator==(const TaskKey&, const TaskKey&) = default;
    friend bool operator<(const TaskKey& a, const TaskKey& b) {
        return std::tie(a.organisation_id, a.stream, a.business_id, a.period_start, a.report_id) <
               std::tie(b.organisation_id, b.stream, b.business_id, b.period_start, b.report_id);
    }
};

/// What a run did for one organisation and stream. Written once, when final.
struct TaskRecord : TaskKey {
    std::int64_t sync_run_id = 0;
    core::Date run_on{};
    TaskStatus status = TaskStatus::done;
    std::optional<std::string> reason;  ///< a code of docs/rules.md, with the figure where there is one
    int attempts = 0;
    std::optional<int> http_status;
    std::optional<std::string> error;
    core::Instant started_at{};
    core::Instant finished_at{};
};

// Who listens on the channel `heiasync` is told, on commit, of the end of each run, of each document that is stored
// (by its task) and of a server on another timeline: docs/consuming.md.

/// Closes, as interrupted, whatever run still counts as running: to be called by who has the run lock. Returns how many
/// there were.
std::int64_t close_dead_runs(Transaction& transaction, core::Instant found_at);

/// The interrupted runs that a run with this date and these limits continues: those since the last one that came to an
/// end of its own.
std::vector<std::int64_t> interrupted_runs(Transaction& transaction, core::Date run_on,
                                           const std::optional<std::string>& limited_to);

/// The slot that a run was for.
std::optional<core::Instant> scheduled_for(Transaction& transaction, std::int64_t sync_run_id);

/// What some runs have settled, so that those that go on from them do not ask again.
struct SettledTasks {
    /// Done, skipped, or failed in a way that asking again does not mend: 400, 403, 404.
    std::map<TaskKey, TaskStatus> tasks;
    std::set<TaskKey> unknown_gates;  ///< failed as gate_unknown, and not among the tasks
    std::set<Subject> not_mapped;     ///< business ids whose usage stats were skipped as not mapped
    std::set<std::pair<std::int64_t, std::int64_t>> reports_to_come;  ///< organisation, report: listed and not stored
};
SettledTasks settled_tasks(Transaction& transaction, const std::vector<std::int64_t>& sync_run_ids);

/// How far the server's clock is ahead of `now`.
std::chrono::microseconds clock_difference(Transaction& transaction, core::Instant now);

std::int64_t start_run(Transaction& transaction, const NewRun& run);
/// Leaves a run alone that another one has closed already.
void finish_run(Transaction& transaction, std::int64_t sync_run_id, const RunSummary& summary);
/// Notes fields that the vendor's document does not know: a new one is inserted, one seen before gets its last_seen_at,
/// or its first_seen_at where `seen_at` is before that.
void record_drift(Transaction& transaction, Stream stream, std::span<const documents::Drift> drift,
                  core::Instant seen_at);

/// The settings that decide what is expected.
struct Settings {
    std::string time_zone;
    std::string daily_at;  ///< `HH:MM`
    std::string api_time_zone;
    int reporting_period_months = 1;
    int minimum_accepted_members = 5;
    int max_days_late = 7;
    bool stats_per_business_id = true;
    bool energy_levels_per_business_id = true;
    std::vector<int> size_classes;
};
/// Adds a row to settings_history unless the newest says the same.
void record_settings(Transaction& transaction, const Settings& settings, core::Instant valid_from);

/// The reporting periods by all settings so far. Throws std::logic_error where there are none.
calendar::ReportingPeriods reporting_periods(Transaction& transaction);

/// Whether the history is real, a rehearsal's, or not begun: no schema, or one without a run.
enum class Origin { empty, real, rehearsal };
/// Asks a database, whatever its schema is.
Origin origin(Transaction& transaction);
/// The same in a session of its own. Blocks. Throws DatabaseError.
Origin origin(const std::string& url);
/// Whether a history, begun or not, is a rehearsal's.
bool is_rehearsal(Transaction& transaction);
/// Marks a database without a run as a rehearsal's, and moves the simulated time last seen forward.
void record_simulated_time(Transaction& transaction, core::Instant simulated_now);

}  // namespace heiasync::history
