#pragma once

#include "truth.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace heiasync::testing {

/// An expected piece of history, and what became of it.
struct ExpectedCell {
    enum class Outcome {
        stored,
        skipped,
        missing,
        not_due  ///< not there, before the slot of its date
    };

    std::string stream;
    std::int64_t organisation_id = 0;
    std::string business_id;
    core::Date expected_on{};
    std::optional<core::Date> period_start;
    std::optional<core::Date> period_end;
    std::optional<std::int64_t> report_id;
    std::optional<core::Instant> generated_at;

    Outcome outcome = Outcome::stored;
    bool is_open = false;                    ///< of what is missing
    std::string reason;                      ///< empty for what is stored
    std::optional<core::Date> attempted_on;  ///< of what is missing: the date of the last attempt

    /// `stream|organisation|business id|expected on|period start|period end|report|generated at`, NULL for what is
    /// unset.
    [[nodiscard]] std::string name() const;
    /// `name|state|reason|attempted on`.
    [[nodiscard]] std::string gap() const;
};

std::string_view to_string(ExpectedCell::Outcome outcome);

/// What ready() and complete() are to say; unset for NULL.
struct DateTruth {
    std::optional<bool> ready;
    std::optional<bool> complete;
};

/// All that can be said of a history at an instant.
struct HistoryTruth {
    core::Date today{};
    std::vector<ExpectedCell> cells;
    std::map<core::Date, DateTruth> dates;
    /// Rows of usage_stats_daily: `organisation|business id|date|observations|previous date|days|the five
    /// deltas|reset`.
    std::set<std::string> daily;
    /// `organisation|business id|period start|period end|days late`, whether it was expected or not.
    std::set<std::string> energy_levels;
    /// `organisation|report|generated at`.
    std::set<std::string> reports;

    [[nodiscard]] std::set<std::string> names() const;
    [[nodiscard]] std::set<std::string> gaps() const;
};

/// What must be in a history, and what must be missing from it: worked out from what the simulator answered, by the
/// words of docs/rules.md and by none of our SQL. For a client that lives in Finland, as the API does, with the default
/// safety.max_vanished_percent, max_days_late and minimum_accepted_members, and asks for energy levels per business id.
class RecordedTruth {
public:
    explicit RecordedTruth(const simulator::World& world) : world_{world} {}

    /// Other settings than before, from the first run of a date on.
    void set_daily_at(core::Date from, std::chrono::minutes daily_at) { daily_at_[from] = daily_at; }
    void set_stats_per_business_id(core::Date from, bool wanted) { stats_per_business_id_[from] = wanted; }
    /// Reporting periods are months before that date, and quarters from then on.
    void set_quarters_from(core::Date date) { quarters_from_ = date; }
    /// The last run of that date did not come to its end, and none went on with it.
    void was_cut_short(core::Date date) { cut_short_.insert(date); }
    /// Listings of that time may lack as many organisations as they like.
    void accepts_vanished(core::Instant from, core::Instant until) { accepted_losses_.push_back({from, until}); }
    /// Nothing that was answered in that time can have been stored.
    void lost(core::Instant from, core::Instant until) { lost_.push_back({from, until}); }

    /// At an instant at which a run is asking, or was when it was ended from outside.
    [[nodiscard]] HistoryTruth work_out(const std::vector<simulator::Request>& requests, core::Instant now) const;

    /// What was answered to the runs of a date, as the ledger has it where it is done:
    /// `stream|organisation|business id|period start|report`.
    [[nodiscard]] static std::set<std::string> answered(const simulator::World& world,
                                                        const std::vector<simulator::Request>& requests,
                                                        core::Date date);

private:
    class Work;
    struct Stretch {
        core::Instant from;
        core::Instant until;
    };
    static bool is_in(const std::vector<Stretch>& stretches, core::Instant at);

    const simulator::World& world_;
    std::map<core::Date, std::chrono::minutes> daily_at_;
    std::map<core::Date, bool> stats_per_business_id_;
    core::Date quarters_from_ = date::year::max() / date::December / date::day{31};
    std::set<core::Date> cut_short_;
    std::vector<Stretch> accepted_losses_;
    std::vector<Stretch> lost_;
};

}  // namespace heiasync::testing
