#include "sync/dry_run.hpp"

#include "history/erasures.hpp"
#include "sync/failure.hpp"
#include "sync/preparation.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

void explain_stats(DryRun& result, const OrganisationPlan& plan, bool wanted) {
    for (const std::string& business_id : plan.usage_stats) {
        const std::string query = business_id.empty() ? "" : "?business_id=" + business_id;
        result.lines.push_back(
            {fmt::format("GET /admin/v1/documents/organisations/{}/stats{}", plan.organisation_id, query),
             wanted ? "usage stats are asked in every run" : "the gate of energy levels needs them"});
    }
}

void explain_energy_levels(DryRun& result, const OrganisationPlan& plan, const AcceptedMembers& accepted,
                           const RunSettings& settings) {
    for (const EnergyLevelsTask& task : plan.energy_levels) {
        const int minimum = settings.expected.minimum_accepted_members;
        const GateDecision decision = decide_gate(accepted, plan.organisation_id, task.business_id, minimum);
        if (decision.kind == GateDecision::Kind::below_minimum) {
            continue;
        }
        const std::string query = task.business_id.empty() ? "" : "&business_id=" + task.business_id;
        result.lines.push_back(
            {fmt::format("GET /admin/v1/documents/organisations/{}/energy_levels?start_date={}&end_date={}{}",
                         plan.organisation_id, core::format_date(task.period.start), core::format_date(task.period.end),
                         query),
             fmt::format("not stored yet; only if at least {} members have accepted", minimum)});
    }
}

asio::awaitable<void> explain(RunContext& context, const RunSettings& settings, const RunRequest& request,
                              bool has_schema, DryRun& result) {
    const core::Instant now = context.clock.now();
    const core::Date run_on = calendar::local_date(now, *settings.periods.schedule_zone);
    const DuePeriods due = periods_of(request, settings, now, run_on);
    history::Erasures erasures;
    auto read = [&request, &due, &erasures, run_on](history::Transaction& transaction) {
        erasures = history::Erasures{transaction};
        return read_ledger(transaction, request, due, run_on);
    };
    Ledger ledger;
    if (has_schema) {
        ledger = co_await context.database.transact(read);
    }
    auto listing = co_await context.api.list_organisations();
    if (!listing.value.complete) {
        throw RunEnd{EarlyEnd::api_unavailable, listing.value.error.value_or("the listing is not complete")};
    }
    std::erase_if(listing.value.organisations, [&erasures](const documents::Organisation& organisation) {
        return erasures.organisation(organisation.id);
    });
    result.not_listed = keep_requested(listing.value.organisations, request.organisations);

    result.periods_reason = due.reason;
    result.organisations = static_cast<std::int64_t>(listing.value.organisations.size());
    for (const OrganisationPlan& plan :
         plan_of(request, settings, due, ledger, {}, std::move(listing.value.organisations))) {
        explain_stats(result, plan, request.streams.usage_stats);
        explain_energy_levels(result, plan, ledger.accepted, settings);
        if (plan.report_listing != ReportListing::none) {
            result.lines.push_back(
                {fmt::format("GET /admin/v1/documents/organisations/{}/reports?viewed=true", plan.organisation_id),
                 "the reports are listed in every run; each viewed version not stored yet is downloaded"});
        }
    }
}

}  // namespace

asio::awaitable<DryRun> dry_run(RunContext context, RunSettings settings, RunRequest request, bool has_schema) {
    DryRun result;
    try {
        co_await explain(context, settings, request, has_schema, result);
    } catch (...) {
        const Failure failure = classify(std::current_exception());
        result.early_end = failure.early_end;
        result.error = failure.why;
    }
    co_return result;
}

}  // namespace heiasync::sync
