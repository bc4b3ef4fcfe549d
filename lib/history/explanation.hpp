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

/// What became of a piece of history. Each has exactly one.
enum class Outcome {
    stored,
    skipped,
    missing,
    not_due,       ///< its slot is still to come, and nothing has come of it before
    not_expected,  ///< asked for on the date, and not expected of it (rule 6)
    erased         ///< the same, because `heiasyncd forget` has erased it since
};
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

/// A piece of history that is expected, or that was asked for all the same, and what became of it.
struct Cell : TaskKey {
    std::optional<core::Date> period_end;
    std::optional<core::Instant> generated_at;  ///< unset also for what is not expected
    Outcome outcome = Outcome::missing;
    /// Of what is missing: it may still be filled. Unset where it is no gap either, which no rule allows.
    std::optional<bool> is_open;
    /// A code of docs/rules.md: of what is skipped or a gap, and of the last attempt at what is not expected or erased.
    std::optional<std::string> reason;
    std::optional<std::string> last_error;
    std::vector<Attempt> attempts;  ///< oldest first; on later dates too, for energy levels and reports
};

struct Explanation {
    bool is_to_come = false;  ///< the date: nothing is expected of it yet
    /// What is expected, by stream, organisation and business id; then what was asked for besides.
    std::vector<Cell> cells;
};

/// What became of a date; of one organisation, with the listing, where that is wanted.
Explanation explain(Transaction& transaction, core::Date date, std::optional<std::int64_t> organisation_id);

/// What is known of an organisation.
struct Acquaintance {
    bool is_known = false;  ///< it was listed, and not erased since
    std::optional<core::Instant> erased_at;
};
Acquaintance acquaintance(Transaction& transaction, std::int64_t organisation_id);

}  // namespace heiasync::history
