#include "commands/standing.hpp"

#include "commands/run_settings.hpp"
#include "history/status.hpp"
#include "sync/plan.hpp"

namespace heiasync::commands {

history::Standing standing(history::Transaction& transaction, const config::Config& config, bool rehearsal,
                           core::Instant now, history::GapCounter& gaps) {
    sync::PeriodSettings settings = period_settings(config);
    if (!history::last_runs(transaction, 1).empty()) {
        settings.periods = history::reporting_periods(transaction);
    }
    history::Expectation expected;
    expected.energy_levels_per_business_id = config.business_ids.energy_levels;
    expected.due = sync::due_periods(now, calendar::local_date(now, *settings.schedule_zone), settings).periods;
    history::Standing standing = history::standing(transaction, expected, now, gaps);
    if (rehearsal) {
        standing.clock_difference = {};
    }
    return standing;
}

}  // namespace heiasync::commands
