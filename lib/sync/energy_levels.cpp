#include "history/energy_levels.hpp"

#include "sync/session.hpp"

#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> fetch(Session& session, history::TaskRecord& task, calendar::Period period, const Again& again) {
    auto answer =
        co_await session.context.api.energy_levels(task.organisation_id, task.business_id, period.start, period.end);
    session.received(task, answer.received_at);

    history::EnergyLevelsSnapshot snapshot;
    snapshot.sync_run_id = task.sync_run_id;
    snapshot.organisation_id = task.organisation_id;
    snapshot.business_id = task.business_id;
    snapshot.period_start = period.start;
    snapshot.period_end = period.end;
    snapshot.fetched_at = answer.received_at;
    snapshot.days_late = calendar::days_late(period, task.run_on);
    const bool open_answers_erased = session.erasures.open_answers(task.organisation_id);
    auto original = kept("energy_levels", std::move(answer.value), open_answers_erased);
    auto rows = [snapshot, original](history::Transaction& transaction) {
        const history::StoredDocument stored = history::store_energy_levels(transaction, snapshot, *original);
        history::record_drift(transaction, history::Stream::energy_levels, stored.drift, snapshot.fetched_at);
    };
    Write write{task, std::move(rows)};
    write.document = true;
    write.again = again;
    co_await session.writer.store(std::move(write));
}

/// The gate cannot be decided before the second pass has asked for the stats again.
bool waits_for_stats(const Session& session, const Subject& subject) {
    const auto postponed = [&](const std::string& business_id) {
        return session.postponed.contains({subject.first, business_id, history::Stream::usage_stats, {}, {}});
    };
    return postponed("") || postponed(subject.second);
}

}  // namespace

asio::awaitable<void> sync_energy_levels(Session& session, OrganisationPlan& plan) {
    for (const EnergyLevelsTask& due : plan.energy_levels) {
        const Subject subject{plan.organisation_id, due.business_id};
        const bool whole_succeeded = plan.whole_energy_levels.contains(due.period.start);
        const Again again = [due, whole_succeeded](OrganisationPlan& later) {
            later.energy_levels.push_back(due);
            if (whole_succeeded) {
                later.whole_energy_levels.insert(due.period.start);
            }
        };
        history::TaskRecord task = session.begin(history::Stream::energy_levels, plan.organisation_id, due.business_id);
        task.period_start = due.period.start;

        if (session.not_mapped.contains(subject)) {
            co_await session.settle(task, history::TaskStatus::skipped, std::string{"business_id_not_mapped"},
                                    std::nullopt);
            continue;
        }
        const GateDecision decision = decide_gate(session.accepted, plan.organisation_id, due.business_id,
                                                  session.settings.expected.minimum_accepted_members);
        if (decision.kind == GateDecision::Kind::below_minimum) {
            co_await session.settle(task, history::TaskStatus::skipped, decision.reason, std::nullopt);
            continue;
        }
        if (decision.kind == GateDecision::Kind::unknown) {
            task.status = history::TaskStatus::failed;
            task.reason = decision.reason;
            task.error = decision.error;
            if (!waits_for_stats(session, subject) || !session.postpone(task, again)) {
                co_await session.settle(task, task.status, decision.reason, decision.error);
            }
            continue;
        }

        asio::awaitable<void> work = fetch(session, task, due.period, again);
        const bool may_be_unmapped = !due.business_id.empty() && whole_succeeded;
        const Outcome outcome = co_await session.perform(task, std::move(work), again, may_be_unmapped);
        if (due.business_id.empty() && outcome == Outcome::done) {
            plan.whole_energy_levels.insert(due.period.start);
        }
    }
}

}  // namespace heiasync::sync
