#pragma once

#include "core/instant.hpp"
#include "documents/decode.hpp"
#include "history/database.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {

enum class Trigger { schedule, catch_up, retry, resume, manual };
enum class RunStatus { running, succeeded, partial, failed, interrupted };
enum class Stream { organisations, usage_stats, energy_levels, reports };
enum class TaskStatus { done, skipped, failed };

/// As the database and the command line write it: `usage-stats` on the command line, `usage_stats` in the database.
std::string_view to_string(Trigger trigger);
std::string_view to_string(RunStatus status);
std::string_view to_string(Stream stream);
std::string_view to_string(TaskStatus status);

struct NewRun {
    Trigger trigger = Trigger::manual;
    core::Date run_on{};                         ///< the local date of its start
    std::optional<core::Instant> scheduled_for;  ///< the slot; unset for a manual run
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

/// What a run did for one organisation and stream. Written once, when final.
struct TaskRecord {
    std::int64_t sync_run_id = 0;
    core::Date run_on{};
    std::int64_t organisation_id = 0;  ///< 0 for the listing of the organisations
    std::string business_id;           ///< '' for the whole organisation
    Stream stream = Stream::organisations;
    std::optional<core::Date> period_start;
    std::optional<std::int64_t> report_id;  ///< unset for the listing of the reports
    TaskStatus status = TaskStatus::done;
    std::optional<std::string> reason;  ///< a code of docs/rules.md, with the figure where there is one
    int attempts = 0;
    std::optional<int> http_status;
    std::optional<std::string> error;
    core::Instant started_at{};
    core::Instant finished_at{};
};

/// Takes the run lock for as long as this connection lasts: one run at a time writes. False where another one has it.
bool take_run_lock(Transaction& transaction);

std::int64_t start_run(Transaction& transaction, const NewRun& run);
void finish_run(Transaction& transaction, std::int64_t sync_run_id, const RunSummary& summary);
/// Returns the sync_task_id.
std::int64_t record_task(Transaction& transaction, const TaskRecord& task);
/// Notes fields that the vendor's document does not know: a new one is inserted, one seen before gets its last_seen_at.
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

/// Whether the history is real, a rehearsal's, or not begun: no schema, or one without a run.
enum class Origin { empty, real, rehearsal };
/// Asks a database, whatever its schema is. Blocks. Throws DatabaseError.
Origin origin(const std::string& url);
/// Marks a database without a run as a rehearsal's, and moves the simulated time last seen forward.
void record_simulated_time(Transaction& transaction, core::Instant simulated_now);

}  // namespace heiasync::history
