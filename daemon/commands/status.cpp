#include "history/status.hpp"

#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "commands/status_output.hpp"
#include "core/clock.hpp"
#include "history/database.hpp"
#include "history/day.hpp"
#include "history/gaps.hpp"
#include "status/ask_daemon.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <iostream>

namespace heiasync::commands {

namespace {

constexpr int shown_runs = 10;

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
    overview.due_is_ready = history::date_state(transaction, overview.due.date).ready.value_or(false);
    overview.gaps = history::GapCounter{}.count(transaction);
    overview.drift = history::count_drift(transaction);
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
    boost::asio::io_context loop{1};
    const Times times{config.schedule.daily_at, calendar::find_zone(config.schedule.time_zone)};
    Overview overview;
    if (config.status.listen) {
        overview.daemon = run_to_its_end(loop, status::ask_daemon(*config.status.listen));
    }
    if (!command.json) {
        print_daemon(config.status.listen, overview.daemon);
    }
    overview.now = core::SystemClock{}.now();
    overview.due = calendar::last_slot(overview.now, times.daily_at, times.zone);
    if (has_schema(config)) {
        history::Database database{loop.get_executor(), config.database.url, {}, history::Access::read};
        auto job = [&](history::Transaction& transaction) { read_ledger(transaction, times, overview); };
        run_to_its_end(loop, database.transact(job));
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
