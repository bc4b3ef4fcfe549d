#include "sync/run.hpp"

#include "core/printable.hpp"
#include "sync/failure.hpp"
#include "sync/preparation.hpp"
#include "sync/session.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <chrono>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Rule 1: a run that outlives its date asks nothing more after this.
constexpr std::chrono::hours grace_after_date{2};

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
        report_.not_listed = keep_requested(organisations, request_.organisations);

        const DuePeriods due = periods_of(request_, settings(), report_.started_at, report_.run_on);
        report_.periods_reason = due.reason;
        auto read = [this, &due](history::Transaction& transaction) {
            return read_ledger(transaction, request_, due, report_.run_on);
        };
        const Ledger ledger = co_await session_.context.database.transact(read);
        session_.accepted = ledger.accepted;
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

}  // namespace heiasync::sync
