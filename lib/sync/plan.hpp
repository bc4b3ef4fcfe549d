#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "documents/organisation.hpp"
#include "documents/report.hpp"
#include "history/energy_levels.hpp"
#include "history/reports.hpp"
#include "history/sync_runs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::sync {

/// Which streams a run is asked for. The listing of the organisations is read in every run.
struct Streams {
    bool usage_stats = true;
    bool energy_levels = true;
    bool reports = true;
};

using history::Subject;

/// hh_core_accepted_membership_count of the day, for the subjects whose stats of the day are known; it may be null.
using AcceptedMembers = std::map<Subject, std::optional<std::int64_t>>;

/// What the plan depends on. A plan is a pure function of this.
struct PlanInput {
    Streams streams;
    bool stats_per_business_id = true;
    bool energy_levels_per_business_id = true;
    std::vector<calendar::Period> periods;               ///< whose energy levels are due
    std::set<history::EnergyLevelsCell> settled;         ///< cells that need no request any more
    history::SettledTasks before;                        ///< by the runs that this one goes on from
    AcceptedMembers accepted;                            ///< of the run's date, before the run
    std::vector<documents::Organisation> organisations;  ///< to work on
};

struct EnergyLevelsTask {
    std::string business_id;
    calendar::Period period;

    friend bool operator==(const EnergyLevelsTask&, const EnergyLevelsTask&) = default;
};

/// A report to be downloaded, and when it was listed.
struct ReportTask {
    documents::Report report;
    core::Instant listed_at{};
};

enum class ReportListing {
    none,
    ask,
    ask_unrecorded  ///< only to learn where the reports to come are: the listing itself is in the ledger
};

/// What is asked for one organisation, in this order.
struct OrganisationPlan {
    std::int64_t organisation_id = 0;
    std::vector<std::string> usage_stats;         ///< business ids, the whole organisation ('') first
    std::vector<EnergyLevelsTask> energy_levels;  ///< where the gate lets them pass
    ReportListing report_listing = ReportListing::none;
    std::vector<ReportTask> reports;  ///< besides those that the listing brings

    /// Whether the same calls for the whole organisation have succeeded in this run: what a 400 to a business id means
    /// depends on it (rule 8).
    bool whole_usage_stats = false;
    std::set<core::Date> whole_energy_levels;  ///< first days of the periods
};

/// Rules 4 and 5 of docs/rules.md. Stats are asked in every run; where only energy levels are wanted, just those that
/// the gate needs and that the day has not yet.
std::vector<OrganisationPlan> make_plan(const PlanInput& input);

/// Which reporting periods a run pulls, and a sentence that says why.
struct DuePeriods {
    std::vector<calendar::Period> periods;  ///< oldest first
    std::string reason;
};

struct PeriodSettings {
    calendar::ReportingPeriods periods;
    int max_days_late = 7;
    const date::time_zone* schedule_zone = nullptr;
    const date::time_zone* api_zone = nullptr;
};

/// Rules 3 and 4: the periods closed by `now` at most max_days_late days before run_on.
DuePeriods due_periods(core::Instant now, core::Date run_on, const PeriodSettings& settings);

/// The period that contains the first of a month, whatever its age; none where it has not closed by `now`.
std::optional<calendar::Period> requested_period(core::Date first_of_month, core::Instant now,
                                                 const PeriodSettings& settings);

/// Whether the energy levels of an organisation, or of one of its business ids, may be asked for (rule 5).
struct GateDecision {
    enum class Kind { pass, below_minimum, unknown };

    Kind kind = Kind::pass;
    std::string reason;                ///< a code, with the figure where there is one; empty for pass
    std::optional<std::string> error;  ///< in words, where it is unknown
};

/// A count that is null is no number. For a business id both counts have to suffice: that of the whole organisation,
/// and its own.
GateDecision decide_gate(const AcceptedMembers& accepted, std::int64_t organisation_id, const std::string& business_id,
                         int minimum);

/// Of the gates that earlier runs of the date left unknown, settles those whose stats are settled and tell no number:
/// asking again would not mend them. The others are decided anew.
void settle_unknown_gates(history::SettledTasks& before, const AcceptedMembers& accepted, int minimum);

/// The listed reports whose version is to be downloaded: ready, not in `stored` (sorted), and not refused for good
/// earlier in the day by a run that this one continues.
std::vector<documents::Report> due_reports(std::int64_t organisation_id, const std::vector<documents::Report>& listed,
                                           const std::vector<history::ReportVersion>& stored,
                                           const history::SettledTasks& before);

}  // namespace heiasync::sync
