#include "sync/run.hpp"

#include "core/printable.hpp"
#include "history/day.hpp"
#include "history/run_lock.hpp"
#include "sync/failure.hpp"
#include "sync/preparation.hpp"
#include "sync/session.hpp"

#include <unistd.h>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <span>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Rule 1: a run that outlives its date asks nothing more after this.
constexpr std::chrono::hours grace_after_date{2};

/// A server takes up to a minute to let go of a lost session, which has the run lock until then.
constexpr std::chrono::seconds longest_doubt{90};

/// How many organisations' stored reports are read at once.
constexpr std::size_t organisations_at_once = 100;

/// Whose tasks have this organisation id.
constexpr std::int64_t listing_of_organisations = 0;

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
        if (report_.early_end == EarlyEnd::stopped || report_.early_end == EarlyEnd::database_unavailable) {
            session_.store.give_up();
        }
        co_await guard(session_.writer.drain());
        if (report_.early_end != EarlyEnd::database_unavailable && report_.early_end != EarlyEnd::clock_skew) {
            co_await guard(session_.settle_postponed());
        }
        report_.finished_at = clock().now();
        report_.status = status_of(report_);
        if (report_.sync_run_id != 0) {
            co_await guard(close());
            if (!report_.is_closed) {
                report_.status = history::RunStatus::interrupted;
                log().warn("run {} interrupted, and not closed: {}", report_.sync_run_id, report_.error.value_or(""));
            }
        }
        session_.context.database.release_run_lock();
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
        const bool never_began = report_.early_end == EarlyEnd::busy && report_.sync_run_id == 0;
        if (report_.early_end == EarlyEnd::none || (never_began && reason == EarlyEnd::stopped)) {
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
        row.limited_to = request_.limited_to;
        row.started_at = report_.started_at;
        row.host = settings().host;
        row.version = settings().version;
        const history::LockTaker taker{settings().host, ::getpid(), "run", report_.started_at};
        std::optional<history::RunLock> lock;
        std::vector<std::int64_t> continued;
        auto job = [this, &row, &taker, &lock, &continued](history::Transaction& transaction) {
            lock = history::take_run_lock(transaction, taker);
            if (!lock) {
                throw RunEnd{EarlyEnd::busy,
                             fmt::format("another run is going on: {}", history::describe_lock_holder(transaction))};
            }
            check_decision(transaction);
            if (settings().rehearsal) {
                history::record_simulated_time(transaction, row.started_at);
            } else {
                if (history::is_rehearsal(transaction)) {
                    throw RunEnd{EarlyEnd::schema_unusable, "this database was born in a rehearsal meanwhile"};
                }
                compare_clocks(transaction);
            }
            history::close_dead_runs(transaction, row.started_at);
            continued = runs_before(transaction, row);
            history::record_settings(transaction, settings().expected, row.started_at);
            session_.settings.periods.periods = history::reporting_periods(transaction);
            return history::start_run(transaction, row);
        };
        report_.sync_run_id = co_await session_.context.database.transact(job);
        session_.context.database.set_run_lock(std::move(*lock));
        report_.trigger = row.trigger;
        log().info("run {} started: {}, for {}", report_.sync_run_id, history::to_string(row.trigger),
                   core::format_date(report_.run_on));
        show_progress();
        auto read = [this, &continued](history::Transaction& transaction) {
            session_.erasures = history::Erasures{transaction};
            return history::settled_tasks(transaction, continued);
        };
        session_.before = co_await session_.store.transact_again(read);
        session_.not_mapped = session_.before.not_mapped;
    }

    void check_decision(history::Transaction& transaction) const {
        if (!request_.decided) {
            return;
        }
        if (request_.decided->run_on != report_.run_on) {
            throw RunEnd{EarlyEnd::overtaken, "the date has ended"};
        }
        if (request_.decided->last_run != history::last_whole_run(transaction, report_.run_on)) {
            throw RunEnd{EarlyEnd::overtaken, "another run has come between"};
        }
    }

    /// The runs whose settled tasks this one leaves out. Makes the row a continuation where it is one.
    [[nodiscard]] static std::vector<std::int64_t> runs_before(history::Transaction& transaction,
                                                               history::NewRun& row) {
        if (!row.scheduled_for) {
            std::vector<std::int64_t> interrupted = history::interrupted_runs(transaction, row.run_on, row.limited_to);
            if (interrupted.empty()) {
                return interrupted;
            }
            row.trigger = history::Trigger::resume;
            row.scheduled_for = history::scheduled_for(transaction, interrupted.back());
            if (!row.scheduled_for) {
                return interrupted;
            }
        }
        return history::slot_runs(transaction, row.run_on, *row.scheduled_for);
    }

    void compare_clocks(history::Transaction& transaction) {
        const auto difference = history::clock_difference(transaction, clock().now());
        if (std::chrono::abs(difference) > heiaheia::tolerated_clock_skew) {
            throw RunEnd{EarlyEnd::clock_skew,
                         fmt::format("clock_skew: the database's clock is {} s off ours",
                                     std::chrono::duration_cast<std::chrono::seconds>(difference).count())};
        }
    }

    asio::awaitable<void> work() {
        session_.context.api.forget_outages();
        co_await session_.context.api.authenticate();
        if (const auto& why = session_.context.api.kept_token()) {
            log().warn("no new token was given, going on with the earlier one: {}", *why);
        }
        if (const auto& scope = session_.context.api.wider_scope()) {
            log().warn("the token allows more than reading (scope {}): ask the vendor for read_only_admin_api",
                       core::printable(*scope));
        }
        due_ = periods_of(request_, settings(), report_.started_at, report_.run_on);
        report_.periods_reason = due_.reason;

        std::vector<OrganisationPlan> plans = plans_for(co_await first_listing());
        co_await work_off(plans);
        if (session_.second_pass.erase(listing_of_organisations) > 0) {
            plans = plans_for(co_await last_listing());
            co_await work_off(plans);
        }
        co_await session_.writer.drain();
        if (!session_.second_pass.empty()) {
            co_await second_pass();
        }
    }

    /// A continued run goes on with the organisations that it listed before it died.
    asio::awaitable<std::vector<documents::Organisation>> first_listing() {
        auto read = [this](history::Transaction& transaction) {
            ledger_ = read_ledger(transaction, request_, due_, report_.run_on);
            return history::known_organisations(transaction, report_.run_on);
        };
        std::vector<history::KnownOrganisation> known = co_await session_.store.transact_again(read);
        session_.accepted = ledger_.accepted;
        settle_unknown_gates(session_.before, ledger_.accepted, settings().expected.minimum_accepted_members);
        report_.refused_before = std::ranges::any_of(
            session_.before.tasks, [](const auto& task) { return task.second == history::TaskStatus::failed; });
        const history::TaskKey listing{};
        if (!session_.before.tasks.contains(listing)) {
            co_return co_await list();
        }
        std::vector<documents::Organisation> organisations;
        organisations.reserve(known.size());
        for (history::KnownOrganisation& item : known) {
            organisations.push_back(std::move(item.organisation));
        }
        co_return organisations;
    }

    asio::awaitable<std::vector<documents::Organisation>> list() {
        std::vector<documents::Organisation> organisations =
            co_await sync_organisations(session_, request_.accept_vanished);
        const bool failed = report_.tasks[history::Stream::organisations].failed > 0;
        if (organisations.empty() && failed) {
            throw RunEnd{EarlyEnd::api_unavailable, "the listing of the organisations could not be read"};
        }
        if (organisations.empty() && session_.postponed.empty()) {
            log().warn(
                "the listing has no organisation: has the account access to any, and are api.size_classes right?");
        }
        co_return organisations;
    }

    std::vector<OrganisationPlan> plans_for(std::vector<documents::Organisation> organisations) {
        report_.not_listed = keep_requested(organisations, request_.organisations);
        std::erase_if(organisations, [this](const documents::Organisation& organisation) {
            return !planned_.insert(organisation.id).second;
        });
        return plan_of(request_, settings(), due_, ledger_, session_.before, std::move(organisations));
    }

    /// The listing failed, and is asked again before what else failed: it may show more.
    asio::awaitable<std::vector<documents::Organisation>> last_listing() {
        co_await session_.writer.drain();
        session_.last_pass = true;
        std::vector<documents::Organisation> organisations = co_await list();
        session_.last_pass = false;
        co_return organisations;
    }

    /// Asks again for what failed.
    asio::awaitable<void> second_pass() {
        log().info("second pass: {} tasks failed and are asked again", session_.postponed.size());
        session_.last_pass = true;
        std::vector<OrganisationPlan> plans;
        for (auto& [organisation_id, plan] : std::exchange(session_.second_pass, {})) {
            plans.push_back(std::move(plan));
        }
        co_await work_off(plans);
        co_await session_.writer.drain();
    }

    asio::awaitable<void> work_off(std::vector<OrganisationPlan>& plans) {
        show_progress();
        for (std::size_t i = 0; i < plans.size(); ++i) {
            if (i % organisations_at_once == 0) {
                const std::size_t count = std::min(organisations_at_once, plans.size() - i);
                const std::span<const OrganisationPlan> next{plans.data() + i, count};
                co_await read_stored_versions(next);
            }
            co_await work_on(plans[i]);
            report_.organisations += session_.last_pass ? 0 : 1;
            show_progress();
        }
    }

    /// Of a few organisations at a time: of all of them it would grow with the age of the history.
    asio::awaitable<void> read_stored_versions(std::span<const OrganisationPlan> plans) {
        if (!request_.streams.reports) {
            co_return;
        }
        std::vector<std::int64_t> ids;
        for (const OrganisationPlan& plan : plans) {
            ids.push_back(plan.organisation_id);
        }
        auto read = [&ids](history::Transaction& transaction) {
            return history::stored_report_versions(transaction, ids);
        };
        session_.stored_versions = co_await session_.store.transact_again(read);
    }

    asio::awaitable<void> work_on(OrganisationPlan& plan) {
        co_await sync_usage_stats(session_, plan);
        co_await sync_energy_levels(session_, plan);
        co_await sync_reports(session_, plan);
    }

    void show_progress() const {
        if (session_.context.on_progress) {
            const auto postponed = static_cast<std::int64_t>(session_.postponed.size());
            session_.context.on_progress({report_.organisations, static_cast<std::int64_t>(planned_.size()),
                                          session_.context.traffic.requests, report_.failures() + postponed,
                                          report_.sync_run_id});
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
        if (co_await is_in_doubt(session_.store.transact(job))) {
            co_await session_.store.transact(job, longest_doubt);
        }
        report_.is_closed = true;
        const auto seconds = std::chrono::duration<double>(report_.finished_at - report_.started_at).count();
        log().log(level(), "run {} {}: {} organisations, {} requests, {} retries, {} failures, {:.1f} s{}{}",
                  report_.sync_run_id, history::to_string(report_.status), report_.organisations, summary.requests,
                  session_.context.traffic.retries, summary.failures, seconds, report_.error ? ": " : "",
                  report_.error.value_or(""));
    }

    /// What asks something of an operator is to be seen where little is logged, too.
    [[nodiscard]] spdlog::level::level_enum level() const {
        if (report_.early_end == EarlyEnd::bug) {
            return spdlog::level::err;
        }
        const bool ended_well =
            report_.status == history::RunStatus::succeeded || report_.status == history::RunStatus::interrupted;
        return ended_well ? spdlog::level::info : spdlog::level::warn;
    }

    /// Awaits a transaction that may be repeated. True: it may have happened or not.
    static asio::awaitable<bool> is_in_doubt(asio::awaitable<void> transaction) {
        try {
            co_await std::move(transaction);
        } catch (const history::DatabaseError& error) {
            if (error.kind() != history::DatabaseError::Kind::in_doubt) {
                throw;
            }
            co_return true;
        }
        co_return false;
    }

    [[nodiscard]] core::Clock& clock() const { return session_.context.clock; }
    [[nodiscard]] spdlog::logger& log() const { return session_.context.log; }
    [[nodiscard]] const RunSettings& settings() const { return session_.settings; }

    RunRequest request_;
    RunReport report_;
    Session session_;
    DuePeriods due_;
    Ledger ledger_;
    std::set<std::int64_t> planned_;  ///< organisations
};

}  // namespace

asio::awaitable<RunReport> run(RunContext context, RunSettings settings, RunRequest request) {
    Run run{std::move(context), std::move(settings), std::move(request)};
    co_return co_await run.execute();
}

}  // namespace heiasync::sync
