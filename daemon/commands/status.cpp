#include "history/status.hpp"

#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/schema.hpp"
#include "commands/status_output.hpp"
#include "core/clock.hpp"
#include "history/database.hpp"
#include "history/day.hpp"
#include "status/ask_daemon.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <iostream>
#include <utility>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

constexpr int shown_runs = 10;

template <class Result>
Result run(asio::io_context& loop, asio::awaitable<Result> work) {
    auto future = asio::co_spawn(loop, std::move(work), asio::use_future);
    loop.restart();
    loop.run();
    return future.get();
}

struct Times {
    std::chrono::minutes daily_at;
    const date::time_zone& zone;
};

void read_ledger(history::Transaction& transaction, const Times& times, Overview& overview) {
    if (const auto simulated = history::simulated_now(transaction)) {
        overview.now = overview.daemon ? overview.daemon->now : *simulated;
    }
    overview.due = calendar::last_slot(overview.now, times.daily_at, times.zone);
    overview.due_had_its_run =
        history::had_its_run(history::whole_runs(transaction, overview.due.date), overview.due.at);
    overview.open_failures = history::open_failures(transaction, overview.due.date);
    overview.last_runs = history::last_runs(transaction, shown_runs);
    overview.last_successes = history::last_successes(transaction);
}

/// What a start now would wait for.
core::Instant next_run_by(const Overview& overview, const Times& times) {
    const bool is_of_today = overview.due.date == calendar::local_date(overview.now, times.zone);
    return is_of_today && !overview.due_had_its_run ? overview.due.at
                                                    : calendar::next_slot(overview.now, times.daily_at, times.zone).at;
}

}  // namespace

core::ExitCode status(const config::Config& config, const StatusCommand& command) {
    asio::io_context loop{1};
    const Times times{config.schedule.daily_at, calendar::find_zone(config.schedule.time_zone)};
    Overview overview;
    if (config.status.listen) {
        overview.daemon = run(loop, status::ask_daemon(*config.status.listen));
    }
    if (!command.json) {
        print_daemon(config.status.listen, overview.daemon);
    }
    overview.now = core::SystemClock{}.now();
    overview.due = calendar::last_slot(overview.now, times.daily_at, times.zone);
    if (has_schema(config)) {
        history::Database database{loop.get_executor(), config.database.url};
        auto job = [&](history::Transaction& transaction) { read_ledger(transaction, times, overview); };
        run(loop, database.transact(job));
    }
    overview.zone = overview.daemon ? overview.daemon->zone : &times.zone;
    overview.next_run =
        overview.daemon && overview.daemon->next_run ? *overview.daemon->next_run : next_run_by(overview, times);
    if (command.json) {
        print_as_json(overview);
    } else {
        print_history(overview);
    }
    if (overview.last_runs.empty()) {
        std::cerr << "heiasyncd: this database has no history yet: `heiasyncd run` or `heiasyncd sync` begins it\n";
    }
    return overview.ready() ? core::ExitCode::done : core::ExitCode::incomplete;
}

}  // namespace heiasync::commands
