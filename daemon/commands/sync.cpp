#include "commands/api_client.hpp"
#include "commands/commands.hpp"
#include "commands/rehearsal.hpp"
#include "commands/run_settings.hpp"
#include "commands/schema.hpp"
#include "commands/sync_output.hpp"
#include "foreground.hpp"
#include "history/run_lock.hpp"
#include "logging.hpp"
#include "progress.hpp"
#include "sync/dry_run.hpp"
#include "sync/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <set>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds between_tries{2};

sync::Streams streams_of(const SyncCommand& command) {
    const auto asked = [&command](const char* name) {
        return std::find(command.streams.begin(), command.streams.end(), name) != command.streams.end();
    };
    if (command.streams.empty()) {
        const bool everything = !command.period_month.has_value();
        return {everything, true, everything};
    }
    return {asked("usage-stats"), asked("energy-levels"), asked("reports")};
}

/// The options that limit a sync, in an order of their own: two syncs with the same limits say the same.
std::optional<std::string> limits_of(const SyncCommand& command) {
    const std::set<std::string> streams{command.streams.begin(), command.streams.end()};
    const std::set<std::int64_t> organisations{command.organisations.begin(), command.organisations.end()};
    std::vector<std::string> limits;
    limits.reserve(streams.size() + organisations.size() + 1);
    for (const std::string& stream : streams) {
        limits.push_back(fmt::format("--stream {}", stream));
    }
    for (const std::int64_t organisation : organisations) {
        limits.push_back(fmt::format("--organisation {}", organisation));
    }
    if (command.period_month) {
        limits.push_back(fmt::format("--period {:.7}", core::format_date(*command.period_month)));
    }
    return limits.empty() ? std::nullopt : std::optional{fmt::format("{}", fmt::join(limits, " "))};
}

sync::RunRequest request_of(const SyncCommand& command) {
    sync::RunRequest request;
    request.streams = streams_of(command);
    request.organisations = command.organisations;
    request.period_month = command.period_month;
    request.limited_to = limits_of(command);
    request.accept_vanished = command.accept_vanished;
    return request;
}

/// A period that has not closed cannot be pulled, and one that no stream asks for is a mistake of the command line.
void check_period(const config::Config& config, const SyncCommand& command, core::Instant now) {
    if (!command.period_month) {
        return;
    }
    if (!streams_of(command).energy_levels) {
        throw CommandError{core::ExitCode::usage, "--period is about energy levels, but --stream leaves them out"};
    }
    if (!sync::requested_period(*command.period_month, now, period_settings(config))) {
        throw CommandError{
            core::ExitCode::usage,
            "--period: that reporting period has not closed yet; energy levels are asked for once it has"};
    }
}

/// A run, as soon as no other one is going on.
asio::awaitable<sync::RunReport> run_when_free(sync::RunContext context, sync::RunSettings settings,
                                               sync::RunRequest request) {
    asio::steady_timer timer{context.executor};
    std::optional<history::HolderInCopy> stuck;
    for (bool told = false;; told = true) {
        sync::RunReport report = co_await sync::run(context, settings, request);
        if (report.early_end != sync::EarlyEnd::busy || report.sync_run_id != 0) {
            co_return report;
        }
        if (!told) {
            context.log.info("waiting: {}", report.error.value_or(""));
        }
        auto look = [&stuck](history::Transaction& transaction) {
            history::end_stuck_holder(transaction, stuck, std::chrono::steady_clock::now());
        };
        try {
            co_await context.database.transact(look);
        } catch (const history::DatabaseError& error) {
            context.log.debug("{}", error.what());
        }
        // A run ends with its cancellation off.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        timer.expires_after(between_tries);
        const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error) {
            report.early_end = sync::EarlyEnd::stopped;
            co_return report;
        }
    }
}

core::ExitCode exit_code(sync::EarlyEnd early_end, std::optional<int> signal) {
    // Whatever else went wrong on the way out.
    if (signal && early_end != sync::EarlyEnd::none) {
        return signal == SIGINT ? core::ExitCode::interrupted : core::ExitCode::terminated;
    }
    switch (early_end) {
        case sync::EarlyEnd::none:
            return core::ExitCode::done;
        case sync::EarlyEnd::credentials_rejected:
            return core::ExitCode::rejected;
        case sync::EarlyEnd::api_unavailable:
        case sync::EarlyEnd::database_unavailable:
        case sync::EarlyEnd::replaced:
        case sync::EarlyEnd::clock_skew:
            return core::ExitCode::unavailable;
        case sync::EarlyEnd::schema_unusable:
            return core::ExitCode::configuration;
        case sync::EarlyEnd::busy:
        case sync::EarlyEnd::overtaken:
            return core::ExitCode::busy;
        case sync::EarlyEnd::date_over:
            return core::ExitCode::incomplete;
        case sync::EarlyEnd::stopped:
            return core::ExitCode::terminated;
        case sync::EarlyEnd::bug:
            break;
    }
    return core::ExitCode::bug;
}

}  // namespace

core::ExitCode sync(const config::Config& config, const SyncCommand& command, bool quiet) {
    const auto log = make_logger(config.log, quiet);
    const bool rehearsal = command.simulated_time.has_value();
    const auto clock = make_clock(command.simulated_time);
    core::SystemClock real_clock;
    check_period(config, command, clock->now());
    const heiaheia::AdminApiSettings secrets = api_settings(config, rehearsal);
    if (rehearsal) {
        require_loopback(config);
    }
    check_origin(history::origin(config.database.url), rehearsal);
    if (!command.dry_run) {
        prepare_schema(config, *clock, *log, command.wait);
    }

    asio::io_context loop{1};
    sync::Traffic traffic;
    const auto client = make_client(config.api, real_clock, watched_client_settings(config.api, traffic, *log));
    heiaheia::AdminApi api{*client, *clock, secrets};
    history::Database database{loop.get_executor(), config.database.url};
    ProgressDisplay display{loop.get_executor(), *log, quiet, advance_of({})};
    const auto on_progress = [&display](const sync::Progress& progress) { display.show(advance_of(progress)); };
    const sync::RunContext context{loop.get_executor(), *clock, api, database, *log, traffic, on_progress};

    if (command.dry_run) {
        Foreground<sync::DryRun> foreground{loop};
        const sync::DryRun plan = foreground.await(
            sync::dry_run(context, run_settings(config, rehearsal), request_of(command), has_schema(config)));
        display.finish();
        complain(plan);
        if (plan.early_end == sync::EarlyEnd::none) {
            print_dry_run(plan);
        }
        return exit_code(plan.early_end, foreground.signal());
    }

    Foreground<sync::RunReport> foreground{loop};
    auto* const start = command.wait ? &run_when_free : &sync::run;
    const sync::RunReport report =
        foreground.await(start(context, run_settings(config, rehearsal), request_of(command)));
    display.finish();
    if (!quiet && report.sync_run_id != 0) {
        print_summary(report, traffic);
    }
    complain(report);
    const bool incomplete = report.early_end == sync::EarlyEnd::none && report.status != history::RunStatus::succeeded;
    return incomplete ? core::ExitCode::incomplete : exit_code(report.early_end, foreground.signal());
}

}  // namespace heiasync::commands
