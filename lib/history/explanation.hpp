#pragma once

#include "core/instant.hpp"
#include "history/sync_runs.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What happened to a date.
namespace heiasync::history {

/// What became of an expected piece of history. Each is exactly one.
enum class Outcome { stored, skipped, missing };
std::string_view to_string(Outcome outcome);

/// What a run did about it.
struct Attempt {
    std::int64_t sync_run_id = 0;
    TaskStatus status = TaskStatus::done;
    std::optional<std::string> reason;
    std::optional<int> http_status;
    std::optional<std::string> error;
    core::Instant finished_at{};
};

/// An expected piece of history, and what became of it.
struct Cell : TaskKey {
    std::optional<core::Date> period_end;
    std::optional<core::Instant> generated_at;
    Outcome outcome = Outcome::stored;
    bool is_open = false;               ///< of what is missing
    std::optional<std::string> reason;  ///< a code of docs/rules.md; unset for what is stored
    std::optional<std::string> last_error;
    std::vector<Attempt> attempts;  ///< oldest first; on later dates too, for energy levels and reports
};

/// What is expected of a date, by stream, organisation and business id; of one organisation where that is wanted.
std::vector<Cell> explain(Transaction& transaction, core::Date date, std::optional<std::int64_t> organisation_id);

}  // namespace heiasync::history
