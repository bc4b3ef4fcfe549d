#include "commands/status_output.hpp"

#include "commands/commands.hpp"
#include "core/counted.hpp"
#include "core/duration.hpp"
#include "core/json.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string_view>

namespace heiasync::commands {

namespace {

using history::Stream;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t shown_failures = 20;
constexpr std::size_t longest_line = 1'000;

std::string rough(core::Instant::duration length) {
    return core::rough_duration(duration_cast<milliseconds>(length));
}

history::GapCount count(const Overview& overview, Stream stream) {
    const auto found = overview.gaps.find(stream);
    return found != overview.gaps.end() ? found->second : history::GapCount{};
}

/// `2026-07-01 04:30:00 +03:00 (3 h 05 min ago)`.
std::string when(core::Instant instant, core::Instant now, const date::time_zone& zone) {
    const std::string local = calendar::format_local(instant, zone);
    return instant > now ? fmt::format("{} (in {})", local, rough(instant - now))
                         : fmt::format("{} ({} ago)", local, rough(now - instant));
}

std::string when(core::Instant instant, const Overview& overview) {
    return when(instant, overview.now, *overview.zone);
}

void print_line(std::string_view what, const std::string& text) {
    std::cout << fmt::format("{:<10} {}\n", what, text);
}

void print_run(const service::State::RunInHand& run, const status::DaemonReport& daemon) {
    const std::string purpose =
        run.scheduled_for ? fmt::format(" for {}", calendar::format_local(*run.scheduled_for, *daemon.zone)) : "";
    const sync::Progress& progress = run.progress;
    print_line("run", fmt::format("{}{}, started {}", history::to_string(run.trigger), purpose,
                                  when(run.started_at, daemon.now, *daemon.zone)));
    print_line("",
               fmt::format("{} of {} organisations, {}, {}", progress.organisations_done, progress.organisations,
                           core::counted(progress.requests, "request"), core::counted(progress.failures, "failure")));
}

void print_configuration(const status::DaemonReport& daemon) {
    const service::State::Configuration& configuration = daemon.configuration;
    const auto loaded = [&daemon](core::Instant at) { return "loaded " + when(at, daemon.now, *daemon.zone); };
    print_line("config", loaded(configuration.loaded_at));
    print_line("", "client secret " + loaded(configuration.client_secret_loaded_at));
    print_line("", "magic token " + loaded(configuration.magic_token_loaded_at));
    if (!configuration.last_reload_ok) {
        print_line("", "the last reload was refused:");
        std::istringstream error{configuration.last_reload_error.value_or("")};
        for (std::string line; std::getline(error, line);) {
            print_line("", "  " + core::printable(line, longest_line));
        }
    }
}

std::string verdict(const Overview& overview) {
    if (overview.ready()) {
        return "ready";
    }
    if (!overview.due_had_its_run) {
        return "not ready: its slot has not had its run yet";
    }
    return overview.open_failures.empty() ? "not ready: it has open gaps, see `heiasyncd gaps --open`"
                                          : fmt::format("not ready: {} left failed", overview.open_failures.size());
}

void print_last_runs(const Overview& overview) {
    if (overview.last_runs.empty()) {
        return;
    }
    std::cout << fmt::format("\n{:>6}  {:<10}  {:<8}  {:<26}  {:<11}  {:>11}  {:>13}  {:>8}  {:>8}\n", "run", "date",
                             "trigger", "started", "status", "took", "organisations", "requests", "failures");
    for (const history::RunRecord& run : overview.last_runs) {
        const std::string remark =
            fmt::format("{}{}", run.limited_to ? "  " + *run.limited_to : "", run.error ? "  " + *run.error : "");
        std::cout << fmt::format("{:>6}  {:<10}  {:<8}  {:<26}  {:<11}  {:>11}  {:>13}  {:>8}  {:>8}{}\n",
                                 run.sync_run_id, core::format_date(run.run_on), history::to_string(run.trigger),
                                 calendar::format_local(run.started_at, *overview.zone), history::to_string(run.status),
                                 run.finished_at ? rough(*run.finished_at - run.started_at) : "-", run.organisations,
                                 run.requests, run.failures, core::printable(remark, longest_line));
    }
}

void print_streams(const Overview& overview) {
    std::cout << fmt::format("\n{:<14}  {:>9}  {:>10}  {}\n", "stream", "open gaps", "final gaps", "last success");
    for (const Stream stream : history::all_streams) {
        const auto success = overview.last_successes.find(stream);
        const bool known = success != overview.last_successes.end() && success->second;
        const history::GapCount gaps = count(overview, stream);
        std::cout << fmt::format("{:<14}  {:>9}  {:>10}  {}\n", history::to_string(stream), gaps.open, gaps.final,
                                 known ? when(*success->second, overview) : "never");
    }
}

void print_open_failures(const Overview& overview) {
    if (overview.open_failures.empty()) {
        return;
    }
    std::cout << fmt::format("\nleft failed on {}\n", core::format_date(overview.due.date));
    const std::size_t shown = std::min(shown_failures, overview.open_failures.size());
    for (std::size_t i = 0; i < shown; ++i) {
        const history::OpenFailure& failure = overview.open_failures[i];
        std::string what =
            failure.organisation_id == 0 ? "the listing" : fmt::format("organisation {}", failure.organisation_id);
        if (!failure.business_id.empty()) {
            what += " business id " + core::printable(failure.business_id);
        }
        what += fmt::format(", {}", history::to_string(failure.stream));
        if (failure.period_start) {
            what += " of the period from " + core::format_date(*failure.period_start);
        }
        if (failure.report_id) {
            what += fmt::format(" {}", *failure.report_id);
        }
        std::cout << fmt::format("  {}: {}{}\n", what, core::printable(failure.reason.value_or("")),
                                 failure.http_status ? fmt::format(" (HTTP {})", *failure.http_status) : "");
    }
    if (shown < overview.open_failures.size()) {
        std::cout << fmt::format("  and {} more: see sync_tasks\n", overview.open_failures.size() - shown);
    }
}

}  // namespace

void print_daemon(const std::optional<std::string>& listen, const std::optional<status::DaemonReport>& daemon) {
    if (!listen) {
        print_line("daemon", "not asked: status.listen is null");
        return;
    }
    if (!daemon) {
        print_line("daemon", "does not answer at " + core::printable(*listen));
        return;
    }
    print_line("daemon", fmt::format("heiasyncd {} at {}", core::printable(daemon->version), core::printable(*listen)));
    for (const status::Hindrance& hindrance : daemon->hindrances) {
        print_line("", fmt::format("for {}: {}", core::rough_duration(hindrance.lasting),
                                   core::printable(hindrance.message, longest_line)));
    }
    print_configuration(*daemon);
    if (daemon->run) {
        print_run(*daemon->run, *daemon);
    } else {
        print_line("run", "none in hand");
    }
}

void print_history(const Overview& overview) {
    const std::string next_run = overview.next_run > overview.now
                                     ? when(overview.next_run, overview)
                                     : calendar::format_local(overview.next_run, *overview.zone) + " (due)";
    print_line("next run", next_run);
    print_line("last due", fmt::format("{}: {}", core::format_date(overview.due.date), verdict(overview)));
    print_last_runs(overview);
    print_streams(overview);
    if (overview.drift > 0) {
        std::cout << fmt::format(
            "\n{} of the API that its description does not have, or has otherwise: see schema_drift\n",
            core::counted(overview.drift, "field"));
    }
    print_open_failures(overview);
}

void print_as_json(const Overview& overview) {
    core::Json json;
    json.begin_object();
    json.member("version", version());
    json.key("run");
    status::write_run(json, overview.daemon ? overview.daemon->run : std::nullopt);
    json.key("next_run");
    status::write_next_run(json, overview.next_run, *overview.zone);
    json.key("last_runs");
    status::write_runs(json, overview.last_runs);
    json.key("streams");
    status::write_streams(json, overview.last_successes, overview.gaps);
    json.key("config");
    if (overview.daemon) {
        status::write_configuration(json, overview.daemon->configuration);
    } else {
        json.value(std::nullopt);
    }
    json.key("last_due");
    json.begin_object();
    json.member("date", overview.due.date);
    json.member("slot", overview.due.at);
    json.member("ready", overview.ready());
    json.end_object();
    json.member("schema_drift", overview.drift);
    json.key("conditions");
    if (overview.daemon) {
        status::write_hindrances(json, overview.daemon->hindrances);
    } else {
        json.value(std::nullopt);
    }
    json.end_object();
    std::cout << json.text() << '\n';
}

}  // namespace heiasync::commands
