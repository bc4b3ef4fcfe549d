#include "sync/run.hpp"

#include "core/printable.hpp"
#include "history/energy_levels.hpp"
#include "history/reports.hpp"
#include "history/usage_stats.hpp"
#include "sync/session.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Rule 1: a run that outlives its date asks nothing more after this.
constexpr std::chrono::hours grace_after_date{2};

constexpr const char* stopped_by_signal = "stopped by a signal";

EarlyEnd early_end_of(const history::DatabaseError& error) {
    switch (error.kind()) {
        case history::DatabaseError::Kind::away:
        case history::DatabaseError::Kind::in_doubt:
            return EarlyEnd::database_unavailable;
        case history::DatabaseError::Kind::schema:
            return EarlyEnd::schema_unusable;
        case history::DatabaseError::Kind::settings:
        case history::DatabaseError::Kind::refused:
        case history::DatabaseError::Kind::ours:
            break;
    }
    return EarlyEnd::bug;
}

struct Failure {
    EarlyEnd early_end = EarlyEnd::bug;
    std::string why;
};

/// What an exception means for the run that it ends.
Failure classify(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const RunEnd& end) {
        return {end.reason, end.what()};
    } catch (const heiaheia::CredentialsRejected& error) {
        return {EarlyEnd::credentials_rejected, error.what()};
    } catch (const heiaheia::ApiError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const http::TransportError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const documents::DecodeError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const history::DatabaseError& error) {
        return {early_end_of(error), error.what()};
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            return {EarlyEnd::stopped, stopped_by_signal};
        }
        return {EarlyEnd::bug, error.what()};
    } catch (const std::exception& error) {
        return {EarlyEnd::bug, error.what()};
    }
}

struct Ledger {
    std::vector<history::EnergyLevelsCell> settled;
    std::vector<history::AcceptedMembers> accepted;
    std::vector<history::ReportVersion> versions;
};

Ledger read_ledger(history::Transaction& transaction, core::Date run_on, const std::vector<calendar::Period>& periods,
                   bool stored_only) {
    std::vector<history::ReportingPeriod> due;
    due.reserve(periods.size());
    for (const calendar::Period& period : periods) {
        due.push_back({period.start, period.end});
    }
    Ledger ledger;
    ledger.settled = stored_only ? history::stored_energy_levels(transaction, due)
                                 : history::settled_energy_levels(transaction, due);
    ledger.accepted = history::accepted_members(transaction, run_on);
    ledger.versions = history::stored_report_versions(transaction);
    return ledger;
}

AcceptedMembers accepted_by_subject(const std::vector<history::AcceptedMembers>& rows) {
    AcceptedMembers accepted;
    for (const history::AcceptedMembers& row : rows) {
        accepted[{row.organisation_id, row.business_id}] = row.accepted;
    }
    return accepted;
}

/// The periods that a run pulls: the one that was asked for, or those that are due.
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

/// Keeps the organisations that were asked for and notes those that are not there.
void keep_requested(std::vector<documents::Organisation>& organisations, const std::vector<std::int64_t>& requested,
                    std::vector<std::int64_t>& not_listed) {
    if (requested.empty()) {
        return;
    }
    std::set<std::int64_t> missing{requested.begin(), requested.end()};
    const std::set<std::int64_t> wanted = missing;
    std::erase_if(organisations, [&wanted, &missing](const documents::Organisation& organisation) {
        missing.erase(organisation.id);
        return !wanted.contains(organisation.id);
    });
    not_listed.assign(missing.begin(), missing.end());
}

std::vector<OrganisationPlan> plan_of(const RunRequest& request, const RunSettings& settings, const DuePeriods& due,
                                      const Ledger& ledger, std::vector<documents::Organisation> organisations) {
    PlanInput input;
    input.streams = request.streams;
    input.stats_per_business_id = settings.expected.stats_per_business_id;
    input.energy_levels_per_business_id = settings.expected.energy_levels_per_business_id;
    input.periods = due.periods;
    input.settled.insert(ledger.settled.begin(), ledger.settled.end());
    input.accepted = accepted_by_subject(ledger.accepted);
    input.organisations = std::move(organisations);
    return make_plan(input);
}

/// The steps of one run, in the order in which they are taken.
class Run {
public:
    Run(RunContext context, RunSettings settings, RunRequest request)
        : request_{std::move(request)}, session_{std::move(context), std::move(settings), report_} {}

    asio::awaitable<RunReport> execute() {
        // A job of the database is not cancelled: a signal that came meanwhile is seen here.
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await guard(open());
        const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) {
            end_early(EarlyEnd::stopped, stopped_by_signal);
        }
        co_await asio::this_coro::throw_if_cancelled(true);
        if (report_.early_end == EarlyEnd::none) {
            co_await guard(work());
        }
        // What is in hand is stored even where the run was cancelled.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await guard(session_.writer.drain());
        conclude();
        if (report_.sync_run_id != 0) {
            co_await guard(close());
        }
        co_return std::move(report_);
    }

private:
    /// Awaits a step. Here, and only here, what a step throws becomes the run's early end; the first one counts.
    asio::awaitable<void> guard(asio::awaitable<void> step) {
        try {
            co_await std::move(step);
        } catch (...) {
            const Failure failure = classify(std::current_exception());
            end_early(failure.early_end, failure.why);
        }
    }

    void end_early(EarlyEnd reason, const std::string& why) {
        if (report_.early_end == EarlyEnd::none) {
            report_.early_end = reason;
            report_.error = why;
        }
    }

    asio::awaitable<void> open() {
        report_.started_at = clock().now();
        report_.run_on = calendar::local_date(report_.started_at, *settings().periods.schedule_zone);
        session_.last_moment =
            calendar::end_of_date(report_.run_on, *settings().periods.schedule_zone) + grace_after_date;
        history::NewRun row;
        row.trigger = request_.trigger;
        row.run_on = report_.run_on;
        row.scheduled_for = request_.scheduled_for;
        row.started_at = report_.started_at;
        row.host = settings().host;
        row.version = settings().version;
        auto job = [this, &row](history::Transaction& transaction) {
            if (!history::take_run_lock(transaction)) {
                throw RunEnd{EarlyEnd::busy, "another run of this database is going on"};
            }
            if (settings().rehearsal) {
                history::record_simulated_time(transaction, row.started_at);
            }
            history::record_settings(transaction, settings().expected, row.started_at);
            return history::start_run(transaction, row);
        };
        report_.sync_run_id = co_await session_.context.database.transact(job);
        log().info("run {} started: {}, for {}", report_.sync_run_id, history::to_string(request_.trigger),
                   core::format_date(report_.run_on));
    }

    asio::awaitable<void> work() {
        co_await session_.context.api.authenticate();
        if (const auto& scope = session_.context.api.wider_scope()) {
            log().warn("the token allows more than reading (scope {}): ask the vendor for read_only_admin_api",
                       core::printable(*scope));
        }

        std::vector<documents::Organisation> organisations = co_await sync_organisations(session_);
        if (organisations.empty() && report_.tasks[history::Stream::organisations].failed > 0) {
            throw RunEnd{EarlyEnd::api_unavailable, "the listing of the organisations could not be read"};
        }
        keep_requested(organisations, request_.organisations, report_.not_listed);

        const DuePeriods due = periods_of(request_, settings(), report_.started_at, report_.run_on);
        report_.periods_reason = due.reason;
        auto read = [this, &due](history::Transaction& transaction) {
            return read_ledger(transaction, report_.run_on, due.periods, request_.period_month.has_value());
        };
        Ledger ledger = co_await session_.context.database.transact(read);
        session_.accepted = accepted_by_subject(ledger.accepted);
        session_.stored_versions = ledger.versions;

        const std::vector<OrganisationPlan> plans =
            plan_of(request_, settings(), due, ledger, std::move(organisations));
        co_await work_off(plans);
    }

    asio::awaitable<void> work_off(const std::vector<OrganisationPlan>& plans) {
        show_progress(plans.size());
        for (const OrganisationPlan& plan : plans) {
            co_await sync_usage_stats(session_, plan);
            co_await sync_energy_levels(session_, plan);
            if (plan.reports) {
                co_await sync_reports(session_, plan.organisation_id);
            }
            if (session_.held_off) {
                throw RunEnd{EarlyEnd::api_unavailable, *session_.held_off};
            }
            ++report_.organisations;
            show_progress(plans.size());
        }
        co_await session_.writer.drain();
    }

    void show_progress(std::size_t organisations) const {
        if (session_.context.on_progress) {
            session_.context.on_progress({report_.organisations, static_cast<std::int64_t>(organisations),
                                          session_.context.traffic.requests, report_.failures()});
        }
    }

    void conclude() {
        using history::RunStatus;
        report_.finished_at = clock().now();
        switch (report_.early_end) {
            case EarlyEnd::none:
                report_.status =
                    report_.failures() == 0 && report_.not_listed.empty() ? RunStatus::succeeded : RunStatus::partial;
                break;
            case EarlyEnd::stopped:
                report_.status = RunStatus::interrupted;
                break;
            case EarlyEnd::date_over:
                report_.status = RunStatus::partial;
                break;
            default:
                report_.status = report_.organisations > 0 ? RunStatus::partial : RunStatus::failed;
                break;
        }
    }

    asio::awaitable<void> close() {
        history::RunSummary summary;
        summary.finished_at = report_.finished_at;
        summary.status = report_.status;
        summary.organisations = report_.organisations;
        summary.requests = session_.context.traffic.requests;
        summary.failures = report_.failures();
        summary.bytes_received = session_.context.traffic.bytes_received;
        summary.error = report_.error;
        auto job = [this, &summary](history::Transaction& transaction) {
            if (settings().rehearsal) {
                history::record_simulated_time(transaction, summary.finished_at);
            }
            history::finish_run(transaction, report_.sync_run_id, summary);
        };
        co_await session_.context.database.transact(job);
        const auto seconds = std::chrono::duration<double>(report_.finished_at - report_.started_at).count();
        log().info("run {} {}: {} organisations, {} requests, {} failures, {:.1f} s{}{}", report_.sync_run_id,
                   history::to_string(report_.status), report_.organisations, summary.requests, summary.failures,
                   seconds, report_.error ? ": " : "", report_.error.value_or(""));
    }

    [[nodiscard]] core::Clock& clock() const { return session_.context.clock; }
    [[nodiscard]] spdlog::logger& log() const { return session_.context.log; }
    [[nodiscard]] const RunSettings& settings() const { return session_.settings; }

    RunRequest request_;
    RunReport report_;
    Session session_;
};

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
        const auto known = accepted.find({plan.organisation_id, task.business_id});
        const int minimum = settings.expected.minimum_accepted_members;
        std::string reason = fmt::format("not stored yet; only if at least {} members have accepted", minimum);
        if (known != accepted.end()) {
            const GateDecision decision = decide_gate(known->second, minimum);
            if (decision.kind == GateDecision::Kind::below_minimum) {
                continue;
            }
        }
        const std::string query = task.business_id.empty() ? "" : "&business_id=" + task.business_id;
        result.lines.push_back(
            {fmt::format("GET /admin/v1/documents/organisations/{}/energy_levels?start_date={}&end_date={}{}",
                         plan.organisation_id, core::format_date(task.period.start), core::format_date(task.period.end),
                         query),
             std::move(reason)});
    }
}

asio::awaitable<void> explain(RunContext& context, const RunSettings& settings, const RunRequest& request,
                              bool has_schema, DryRun& result) {
    const core::Instant now = context.clock.now();
    const core::Date run_on = calendar::local_date(now, *settings.periods.schedule_zone);
    const DuePeriods due = periods_of(request, settings, now, run_on);
    auto read = [run_on, &due, &request](history::Transaction& transaction) {
        return read_ledger(transaction, run_on, due.periods, request.period_month.has_value());
    };
    Ledger ledger;
    if (has_schema) {
        ledger = co_await context.database.transact(read);
    }
    auto listing = co_await context.api.list_organisations();
    if (!listing.value.complete) {
        throw RunEnd{EarlyEnd::api_unavailable, listing.value.error.value_or("the listing is not complete")};
    }
    keep_requested(listing.value.organisations, request.organisations, result.not_listed);

    result.periods_reason = due.reason;
    result.organisations = static_cast<std::int64_t>(listing.value.organisations.size());
    const AcceptedMembers accepted = accepted_by_subject(ledger.accepted);
    for (const OrganisationPlan& plan :
         plan_of(request, settings, due, ledger, std::move(listing.value.organisations))) {
        explain_stats(result, plan, request.streams.usage_stats);
        explain_energy_levels(result, plan, accepted, settings);
        if (plan.reports) {
            result.lines.push_back(
                {fmt::format("GET /admin/v1/documents/organisations/{}/reports?viewed=true", plan.organisation_id),
                 "the reports are listed in every run; each viewed version not stored yet is downloaded"});
        }
    }
}

}  // namespace

std::int64_t RunReport::failures() const {
    std::int64_t failures = 0;
    for (const auto& [stream, counts] : tasks) {
        failures += counts.failed;
    }
    return failures;
}

asio::awaitable<RunReport> run(RunContext context, RunSettings settings, RunRequest request) {
    Run run{std::move(context), std::move(settings), std::move(request)};
    co_return co_await run.execute();
}

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
