#include "history/usage_stats.hpp"

#include "sync/session.hpp"

#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> fetch(Session& session, history::TaskRecord& task, const Again& again) {
    const auto answer = co_await session.context.api.usage_stats(task.organisation_id, task.business_id);
    session.received(task, answer.received_at);

    history::UsageStatsObservation observation;
    observation.sync_run_id = task.sync_run_id;
    observation.organisation_id = task.organisation_id;
    observation.business_id = task.business_id;
    observation.observed_at = answer.received_at;
    observation.observed_on = task.run_on;
    observation.stats = answer.value.stats;
    auto rows = [observation, drift = answer.value.drift](history::Transaction& transaction) {
        history::store_usage_stats(transaction, observation);
        history::record_drift(transaction, history::Stream::usage_stats, drift, observation.observed_at);
    };
    Write write{task, std::move(rows)};
    write.again = again;
    co_await session.writer.store(std::move(write));
    session.accepted[{task.organisation_id, task.business_id}] = observation.stats.hh_core_accepted_membership_count;
}

}  // namespace

asio::awaitable<void> sync_usage_stats(Session& session, OrganisationPlan& plan) {
    for (const std::string& business_id : plan.usage_stats) {
        const Again again = [business_id, whole = plan.whole_usage_stats](OrganisationPlan& later) {
            later.usage_stats.push_back(business_id);
            later.whole_usage_stats = later.whole_usage_stats || whole;
        };
        history::TaskRecord task = session.begin(history::Stream::usage_stats, plan.organisation_id, business_id);
        asio::awaitable<void> work = fetch(session, task, again);
        const bool may_be_unmapped = !business_id.empty() && plan.whole_usage_stats;
        const Outcome outcome = co_await session.perform(task, std::move(work), again, may_be_unmapped);
        if (business_id.empty()) {
            plan.whole_usage_stats = outcome == Outcome::done;
        }
    }
}

}  // namespace heiasync::sync
