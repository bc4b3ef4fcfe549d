#include "sync/preparation.hpp"

#include "history/usage_stats.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace heiasync::sync {

DuePeriods periods_of(const RunRequest& request, const RunSettings& settings, core::Instant now, core::Date run_on) {
    if (!request.streams.energy_levels) {
        return {{}, "energy levels are not among the streams of this run"};
    }
    if (!request.period_month) {
        return due_periods(now, run_on, settings.periods);
    }
    const auto period = requested_period(*request.period_month, now, settings.periods);
    if (!period) {
        return {{}, "the period that was asked for has not closed"};
    }
    return {{*period},
            fmt::format("the reporting period {} to {} was asked for", core::format_date(period->start),
                        core::format_date(period->end))};
}

Ledger read_ledger(history::Transaction& transaction, const RunRequest& request, const DuePeriods& due,
                   core::Date run_on) {
    Ledger ledger;
    ledger.settled = request.period_month ? history::stored_energy_levels(transaction, due.periods)
                                          : history::settled_energy_levels(transaction, due.periods);
    for (const history::AcceptedMembers& row : history::accepted_members(transaction, run_on)) {
        ledger.accepted[{row.organisation_id, row.business_id}] = row.accepted;
    }
    return ledger;
}

std::vector<std::int64_t> keep_requested(std::vector<documents::Organisation>& organisations,
                                         const std::vector<std::int64_t>& requested) {
    std::set<std::int64_t> missing{requested.begin(), requested.end()};
    if (!requested.empty()) {
        const std::set<std::int64_t> wanted = missing;
        std::erase_if(organisations, [&wanted, &missing](const documents::Organisation& organisation) {
            missing.erase(organisation.id);
            return !wanted.contains(organisation.id);
        });
    }
    return {missing.begin(), missing.end()};
}

std::vector<OrganisationPlan> plan_of(const RunRequest& request, const RunSettings& settings, const DuePeriods& due,
                                      const Ledger& ledger, const history::SettledTasks& before,
                                      std::vector<documents::Organisation> organisations) {
    PlanInput input;
    input.streams = request.streams;
    input.stats_per_business_id = settings.expected.stats_per_business_id;
    input.energy_levels_per_business_id = settings.expected.energy_levels_per_business_id;
    input.periods = due.periods;
    input.settled.insert(ledger.settled.begin(), ledger.settled.end());
    input.before = before;
    input.accepted = ledger.accepted;
    input.organisations = std::move(organisations);
    return make_plan(input);
}

}  // namespace heiasync::sync
