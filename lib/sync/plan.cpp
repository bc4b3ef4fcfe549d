#include "sync/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace heiasync::sync {

namespace {

/// '' for the whole organisation, then its business ids where they are wanted and it has several.
std::vector<std::string> subjects_of(const documents::Organisation& organisation, bool per_business_id) {
    std::vector<std::string> subjects{""};
    if (per_business_id && organisation.multi_business_id) {
        subjects.insert(subjects.end(), organisation.business_ids.begin(), organisation.business_ids.end());
    }
    return subjects;
}

history::TaskKey key(history::Stream stream, std::int64_t organisation_id, const std::string& business_id,
                     std::optional<core::Date> period_start = std::nullopt,
                     std::optional<std::int64_t> report_id = std::nullopt) {
    return {organisation_id, business_id, stream, period_start, report_id};
}

bool is_done(const history::SettledTasks& before, const history::TaskKey& key) {
    const auto found = before.tasks.find(key);
    return found != before.tasks.end() && found->second == history::TaskStatus::done;
}

std::vector<EnergyLevelsTask> due_energy_levels(const PlanInput& input, const documents::Organisation& organisation) {
    std::vector<EnergyLevelsTask> tasks;
    for (const calendar::Period& period : input.periods) {
        for (const std::string& business_id : subjects_of(organisation, input.energy_levels_per_business_id)) {
            const bool settled = input.settled.contains({organisation.id, business_id, period.start}) ||
                                 input.before.tasks.contains(
                                     key(history::Stream::energy_levels, organisation.id, business_id, period.start));
            if (!settled) {
                tasks.push_back({business_id, period});
            }
        }
    }
    return tasks;
}

/// The subjects whose count the gate needs and the day does not have yet.
std::vector<std::string> missing_for_gate(const PlanInput& input, std::int64_t organisation_id,
                                          const std::vector<EnergyLevelsTask>& energy_levels) {
    std::vector<std::string> missing;
    const auto is_known = [&](const std::string& business_id) {
        return input.accepted.contains({organisation_id, business_id});
    };
    for (const EnergyLevelsTask& task : energy_levels) {
        const bool is_new = std::find(missing.begin(), missing.end(), task.business_id) == missing.end();
        if (!task.business_id.empty() && !is_known(task.business_id) && is_new) {
            missing.push_back(task.business_id);
        }
    }
    // The whole organisation's count decides for all; and its answer beside that of a business id tells whether anyone
    // is mapped to that.
    if (!missing.empty() || (!energy_levels.empty() && !is_known(""))) {
        missing.insert(missing.begin(), "");
    }
    return missing;
}

bool is_settled(const history::SettledTasks& before, std::int64_t organisation_id, std::int64_t report_id) {
    const auto& tasks = before.tasks;
    auto task = tasks.lower_bound(key(history::Stream::organisations, organisation_id, ""));
    while (task != tasks.end() && task->first.organisation_id == organisation_id &&
           task->first.report_id != report_id) {
        ++task;
    }
    return task != tasks.end() && task->first.organisation_id == organisation_id;
}

bool has_reports_to_come(const history::SettledTasks& before, std::int64_t organisation_id) {
    const auto& reports = before.reports_to_come;
    auto report = reports.lower_bound({organisation_id, 0});
    while (report != reports.end() && report->first == organisation_id &&
           is_settled(before, organisation_id, report->second)) {
        ++report;
    }
    return report != reports.end() && report->first == organisation_id;
}

ReportListing report_listing(const PlanInput& input, std::int64_t organisation_id) {
    if (!input.streams.reports) {
        return ReportListing::none;
    }
    const history::TaskKey listing = key(history::Stream::reports, organisation_id, "");
    if (!input.before.tasks.contains(listing)) {
        return ReportListing::ask;
    }
    return is_done(input.before, listing) && has_reports_to_come(input.before, organisation_id)
               ? ReportListing::ask_unrecorded
               : ReportListing::none;
}

std::string describe(const calendar::Period& period) {
    return fmt::format("{} to {}", core::format_date(period.start), core::format_date(period.end));
}

GateDecision decide_for(const AcceptedMembers& accepted, const Subject& subject, int minimum) {
    using Kind = GateDecision::Kind;
    const auto unknown = [](const char* why) { return GateDecision{Kind::unknown, "gate_unknown", why}; };
    const auto found = accepted.find(subject);
    if (found == accepted.end()) {
        return unknown("the day has no usage stats");
    }
    const std::optional<std::int64_t>& count = found->second;
    if (!count) {
        return unknown("hh_core_accepted_membership_count is null");
    }
    if (*count < 0) {
        return unknown("hh_core_accepted_membership_count is negative");
    }
    if (*count < minimum) {
        return {Kind::below_minimum, fmt::format("below_minimum_accepted_members: {} of {}", *count, minimum), {}};
    }
    return {};
}

}  // namespace

std::vector<OrganisationPlan> make_plan(const PlanInput& input) {
    std::vector<OrganisationPlan> plans;
    plans.reserve(input.organisations.size());
    for (const documents::Organisation& organisation : input.organisations) {
        OrganisationPlan plan;
        plan.organisation_id = organisation.id;
        if (input.streams.energy_levels) {
            plan.energy_levels = due_energy_levels(input, organisation);
        }
        if (input.streams.usage_stats) {
            plan.usage_stats = subjects_of(organisation, input.stats_per_business_id);
        }
        for (std::string& business_id : missing_for_gate(input, organisation.id, plan.energy_levels)) {
            if (std::find(plan.usage_stats.begin(), plan.usage_stats.end(), business_id) == plan.usage_stats.end()) {
                plan.usage_stats.push_back(std::move(business_id));
            }
        }
        std::erase_if(plan.usage_stats, [&](const std::string& business_id) {
            return input.before.tasks.contains(key(history::Stream::usage_stats, organisation.id, business_id));
        });
        plan.report_listing = report_listing(input, organisation.id);
        plan.whole_usage_stats = is_done(input.before, key(history::Stream::usage_stats, organisation.id, ""));
        for (const calendar::Period& period : input.periods) {
            if (is_done(input.before, key(history::Stream::energy_levels, organisation.id, "", period.start))) {
                plan.whole_energy_levels.insert(period.start);
            }
        }
        plans.push_back(std::move(plan));
    }
    return plans;
}

DuePeriods due_periods(core::Instant now, core::Date run_on, const PeriodSettings& settings) {
    DuePeriods due;
    due.periods = calendar::due_periods(now, run_on, settings.periods, settings.max_days_late, *settings.schedule_zone,
                                        *settings.api_zone);
    if (!due.periods.empty()) {
        due.reason = fmt::format("the reporting period {} closed {} days before {}", describe(due.periods.back()),
                                 calendar::days_late(due.periods.back(), run_on), core::format_date(run_on));
        return due;
    }
    const calendar::Period last = settings.periods.previous(settings.periods.containing(run_on));
    if (now < calendar::closed_at(last, *settings.schedule_zone, *settings.api_zone)) {
        due.reason = fmt::format("the reporting period {} has not closed in every zone yet", describe(last));
    } else {
        due.reason = fmt::format("the last reporting period, {}, is {} days late, more than max_days_late ({})",
                                 describe(last), calendar::days_late(last, run_on), settings.max_days_late);
    }
    return due;
}

std::optional<calendar::Period> requested_period(core::Date first_of_month, core::Instant now,
                                                 const PeriodSettings& settings) {
    const calendar::Period period = settings.periods.containing(first_of_month);
    if (now < calendar::closed_at(period, *settings.schedule_zone, *settings.api_zone)) {
        return std::nullopt;
    }
    return period;
}

GateDecision decide_gate(const AcceptedMembers& accepted, std::int64_t organisation_id, const std::string& business_id,
                         int minimum) {
    GateDecision decision = decide_for(accepted, {organisation_id, ""}, minimum);
    if (decision.kind == GateDecision::Kind::pass && !business_id.empty()) {
        decision = decide_for(accepted, {organisation_id, business_id}, minimum);
    }
    return decision;
}

void settle_unknown_gates(history::SettledTasks& before, const AcceptedMembers& accepted, int minimum) {
    for (const history::TaskKey& gate : before.unknown_gates) {
        const auto has_stats = [&](const std::string& business_id) {
            return before.tasks.contains(key(history::Stream::usage_stats, gate.organisation_id, business_id));
        };
        const GateDecision decision = decide_gate(accepted, gate.organisation_id, gate.business_id, minimum);
        if (decision.kind == GateDecision::Kind::unknown && has_stats("") && has_stats(gate.business_id)) {
            before.tasks.emplace(gate, history::TaskStatus::failed);
        }
    }
    before.unknown_gates.clear();
}

std::vector<documents::Report> due_reports(std::int64_t organisation_id, const std::vector<documents::Report>& listed,
                                           const std::vector<history::ReportVersion>& stored,
                                           const history::SettledTasks& before) {
    std::vector<documents::Report> due;
    for (const documents::Report& report : listed) {
        if (!report.ready()) {
            continue;
        }
        const history::ReportVersion version{organisation_id, report.id, *report.generated_at};
        const history::TaskKey task =
            key(history::Stream::reports, organisation_id, report.business_id, std::nullopt, report.id);
        if (!std::ranges::binary_search(stored, version) && !before.tasks.contains(task)) {
            due.push_back(report);
        }
    }
    return due;
}

}  // namespace heiasync::sync
