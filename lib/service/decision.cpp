#include "service/decision.hpp"

#include <algorithm>

namespace heiasync::service {

namespace {

using history::DayRun;
using history::RunStatus;
using history::Trigger;

Decision run(Trigger trigger, std::optional<core::Instant> scheduled_for, core::Instant slot) {
    Decision decision;
    decision.kind = Decision::Kind::run;
    decision.trigger = trigger;
    decision.scheduled_for = scheduled_for;
    decision.next_slot = slot;
    return decision;
}

Decision wait(core::Instant until, core::Instant next_slot) {
    Decision decision;
    decision.until = until;
    decision.next_slot = next_slot;
    return decision;
}

Decision look_again(core::Instant slot) {
    Decision decision;
    decision.kind = Decision::Kind::look_again;
    decision.next_slot = slot;
    return decision;
}

/// No run counts for the slot yet.
Decision decide_first(const history::DayState& today, core::Instant now, core::Instant slot,
                      std::optional<core::Instant> awaited) {
    const DayRun* const last = today.runs.empty() ? nullptr : &today.runs.back();
    if (now < slot) {
        const bool continued = last != nullptr && last->status == RunStatus::interrupted;
        return continued ? run(Trigger::resume, std::nullopt, slot) : wait(slot, slot);
    }
    if (last != nullptr && last->status == RunStatus::running) {
        return look_again(slot);
    }
    return run(awaited == slot ? Trigger::schedule : Trigger::catch_up, slot, slot);
}

/// Runs count for the slot already.
Decision decide_next(const history::DayState& today, core::Instant now, core::Instant slot, const Schedule& schedule) {
    // What came after a run that counts for the slot counts for it too.
    const DayRun& last = today.runs.back();
    const bool fulfilled = std::ranges::any_of(today.runs, [slot](const DayRun& item) {
        return history::counts_for(item, slot) && item.status == RunStatus::succeeded;
    });
    const auto scheduled =
        std::ranges::find_if(today.runs, [](const DayRun& item) { return item.scheduled_for.has_value(); });
    const core::Instant scheduled_for = scheduled == today.runs.end() ? slot : *scheduled->scheduled_for;
    // Where a later daily_at has moved the slot of today, it is still the slot of today.
    const core::Instant next_slot = calendar::next_slot(std::max(now, slot), schedule.daily_at, *schedule.zone).at;
    if (last.status == RunStatus::interrupted) {
        return fulfilled ? run(Trigger::resume, last.scheduled_for, next_slot)
                         : run(Trigger::resume, scheduled_for, slot);
    }
    if (fulfilled) {
        return wait(next_slot, next_slot);
    }
    if (last.status == RunStatus::running) {
        return look_again(slot);
    }
    const core::Instant retry_at = last.finished_at.value_or(now) + schedule.retry_interval;
    const core::Date date = calendar::local_date(now, *schedule.zone);
    if (!today.mendable || retry_at >= calendar::end_of_date(date, *schedule.zone)) {
        return wait(next_slot, next_slot);
    }
    return retry_at <= now ? run(Trigger::retry, scheduled_for, slot) : wait(retry_at, next_slot);
}

}  // namespace

calendar::Slot slot_today(core::Instant now, const Schedule& schedule) {
    const auto slot = calendar::slot_of(calendar::local_date(now, *schedule.zone), schedule.daily_at, *schedule.zone);
    return slot ? *slot : calendar::next_slot(now, schedule.daily_at, *schedule.zone);
}

Decision decide(const history::DayState& today, core::Instant now, const Schedule& schedule,
                std::optional<core::Instant> awaited) {
    const core::Instant slot = slot_today(now, schedule).at;
    const bool begun =
        std::ranges::any_of(today.runs, [slot](const DayRun& item) { return history::counts_for(item, slot); });
    Decision decision = begun ? decide_next(today, now, slot, schedule) : decide_first(today, now, slot, awaited);
    decision.last_run = today.runs.empty() ? 0 : today.runs.back().sync_run_id;
    return decision;
}

}  // namespace heiasync::service
