#include "commands/standing.hpp"

#include "commands/run_settings.hpp"
#include "history/status.hpp"
#include "sync/plan.hpp"

namespace heiasync::commands {

namespace {

constexpr date::days remembered{400};

/// Closed so long ago that they are pulled no more; of the last 400 days.
std::vector<calendar::Period> past_periods(core::Date today, const sync::PeriodSettings& settings) {
    std::vector<calendar::Period> past;
    calendar::Period period = settings.periods.previous(settings.periods.containing(today));
    for (; period.end >= core::Date{date::sys_days{today} - remembered}; period = settings.periods.previous(period)) {
        if (calendar::days_late(period, today) > settings.max_days_late) {
            past.push_back(period);
        }
    }
    return past;
}

}  // namespace

history::Standing standing(history::Transaction& transaction, const config::Config& config, bool rehearsal,
                           core::Instant now) {
    sync::PeriodSettings settings = period_settings(config);
    if (!history::last_runs(transaction, 1).empty()) {
        settings.periods = history::reporting_periods(transaction);
    }
    history::Expectation expected;
    expected.today = calendar::local_date(now, *settings.schedule_zone);
    expected.last_due = calendar::last_slot(now, config.schedule.daily_at, *settings.schedule_zone);
    expected.energy_levels_per_business_id = config.business_ids.energy_levels;
    expected.due = sync::due_periods(now, expected.today, settings).periods;
    expected.past = past_periods(expected.today, settings);
    history::Standing standing = history::standing(transaction, expected, now);
    if (rehearsal) {
        standing.clock_difference = {};
    }
    return standing;
}

}  // namespace heiasync::commands
