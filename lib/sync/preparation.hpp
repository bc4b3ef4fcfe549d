#pragma once

// Internal to this room: what a run and a dry run do before the first task.

#include "history/database.hpp"
#include "history/energy_levels.hpp"
#include "history/reports.hpp"
#include "sync/plan.hpp"
#include "sync/run.hpp"

#include <cstdint>
#include <vector>

namespace heiasync::sync {

/// What is stored already and bears on what is due.
struct Ledger {
    std::vector<history::EnergyLevelsCell> settled;  ///< of the periods that are due
    AcceptedMembers accepted;                        ///< of the run's date
};

/// The periods that a run pulls: the one that was asked for, or those that are due.
DuePeriods periods_of(const RunRequest& request, const RunSettings& settings, core::Instant now, core::Date run_on);

/// A period that was asked for is pulled where it is not stored, even if it was skipped; others only if neither.
Ledger read_ledger(history::Transaction& transaction, const RunRequest& request, const DuePeriods& due,
                   core::Date run_on);

/// Keeps the organisations that were asked for and returns the ids of those that are not there.
std::vector<std::int64_t> keep_requested(std::vector<documents::Organisation>& organisations,
                                         const std::vector<std::int64_t>& requested);

std::vector<OrganisationPlan> plan_of(const RunRequest& request, const RunSettings& settings, const DuePeriods& due,
                                      const Ledger& ledger, const history::SettledTasks& before,
                                      std::vector<documents::Organisation> organisations);

}  // namespace heiasync::sync
