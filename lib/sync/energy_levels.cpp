#include "history/energy_levels.hpp"

#include "sync/session.hpp"

#include <memory>
#include <set>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> fetch(Session& session, history::TaskRecord& task, calendar::Period period) {
    auto answer =
        co_await session.context.api.energy_levels(task.organisation_id, task.business_id, period.start, period.end);
    Session::received(task, answer.received_at, answer.attempts);

    history::EnergyLevelsSnapshot snapshot;
    snapshot.sync_run_id = task.sync_run_id;
    snapshot.organisation_id = task.organisation_id;
    snapshot.business_id = task.business_id;
    snapshot.period_start = period.start;
    snapshot.period_end = period.end;
    snapshot.fetched_at = answer.received_at;
    snapshot.days_late = calendar::days_late(period, task.run_on);
    auto original = std::make_shared<const documents::Original>(std::move(answer.value));
    auto rows = [snapshot, original](history::Transaction& transaction) {
        const history::StoredDocument stored = history::store_energy_levels(transaction, snapshot, *original);
        history::record_drift(transaction, history::Stream::energy_levels, stored.drift, snapshot.fetched_at);
    };
    Write write{task, std::move(rows)};
    write.document = true;
    co_await session.writer.store(std::move(write));
}

}  // namespace

asio::awaitable<void> sync_energy_levels(Session& session, const OrganisationPlan& plan) {
    std::set<core::Date> whole_succeeded;
    for (const EnergyLevelsTask& due : plan.energy_levels) {
        const Subject subject{plan.organisation_id, due.business_id};
        history::TaskRecord task = session.begin(history::Stream::energy_levels, plan.organisation_id, due.business_id);
        task.period_start = due.period.start;

        if (session.not_mapped.contains(subject)) {
            co_await session.settle(task, history::TaskStatus::skipped, std::string{"business_id_not_mapped"},
                                    std::nullopt);
            continue;
        }
        const GateDecision decision = decide_gate(session.accepted, plan.organisation_id, due.business_id,
                                                  session.settings.expected.minimum_accepted_members);
        if (decision.kind != GateDecision::Kind::pass) {
            const auto status = decision.kind == GateDecision::Kind::below_minimum ? history::TaskStatus::skipped
                                                                                   : history::TaskStatus::failed;
            co_await session.settle(task, status, decision.reason, decision.error);
            continue;
        }

        asio::awaitable<void> work = fetch(session, task, due.period);
        const bool may_be_unmapped = !due.business_id.empty() && whole_succeeded.contains(due.period.start);
        const history::TaskStatus status = co_await session.perform(task, std::move(work), may_be_unmapped);
        if (due.business_id.empty() && status == history::TaskStatus::done) {
            whole_succeeded.insert(due.period.start);
        }
    }
}

}  // namespace heiasync::sync
