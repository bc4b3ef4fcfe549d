#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "core/counted.hpp"
#include "core/json.hpp"
#include "core/printable.hpp"
#include "history/database.hpp"
#include "history/explanation.hpp"
#include "history/gaps.hpp"
#include "history/status.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace heiasync::commands {

namespace {

constexpr std::size_t longest_error = 300;
constexpr int most_runs = 10'000;

/// What there is to say of a date.
struct Story {
    core::Date date{};
    history::DateState state;
    std::vector<history::RunRecord> runs;
    std::vector<history::Cell> cells;
};

/// The rule of docs/rules.md that an outcome follows from.
int rule_of(const history::Cell& cell) {
    if (!cell.reason) {
        return 4;
    }
    constexpr std::array<std::pair<std::string_view, int>, 9> rules{{{"below_minimum_accepted_members", 5},
                                                                     {"gate_unknown", 5},
                                                                     {"listing_shrank", 9},
                                                                     {"listing_incomplete", 9},
                                                                     {"no_run", 2},
                                                                     {"too_late", 4},
                                                                     {"superseded", 4},
                                                                     {"organisation_removed", 4},
                                                                     {"no_longer_listed", 4}}};
    const auto* const found =
        std::ranges::find_if(rules, [&cell](const auto& rule) { return cell.reason->starts_with(rule.first); });
    return found != rules.end() ? found->second : 8;
}

std::string_view outcome_of(const history::Cell& cell) {
    if (cell.outcome == history::Outcome::missing) {
        return cell.is_open ? "open gap" : "final gap";
    }
    return history::to_string(cell.outcome);
}

std::string_view word(const std::optional<bool>& answer) {
    return !answer ? "-" : *answer ? "yes" : "no";
}

std::string describe(const history::Cell& cell) {
    std::string what{history::to_string(cell.stream)};
    if (!cell.business_id.empty()) {
        what += " of business id " + core::printable(cell.business_id);
    }
    if (cell.period_start && cell.period_end) {
        what += fmt::format(", {} to {}", core::format_date(*cell.period_start), core::format_date(*cell.period_end));
    }
    if (cell.report_id) {
        what += fmt::format(", report {}", *cell.report_id);
    }
    return what;
}

void print_head(const Story& story) {
    const date::time_zone* zone = story.state.slot ? &calendar::find_zone(story.state.time_zone) : nullptr;
    std::cout << fmt::format("date      {}\nslot      {}\nready     {}\ncomplete  {}\n", core::format_date(story.date),
                             zone != nullptr ? calendar::format_local(*story.state.slot, *zone) : "none (rule 1)",
                             word(story.state.ready), word(story.state.complete));
    for (const history::RunRecord& run : story.runs) {
        std::cout << fmt::format(
            "run {:<5} {} at {}: {}, {} of {}{}{}\n", run.sync_run_id, history::to_string(run.trigger),
            zone != nullptr ? calendar::format_local(run.started_at, *zone) : core::format_instant(run.started_at),
            history::to_string(run.status), core::counted(run.failures, "failure"),
            core::counted(run.requests, "request"),
            run.limited_to ? ", limited to " + core::printable(*run.limited_to) : "",
            run.error ? ": " + core::printable(*run.error, longest_error) : "");
    }
    if (story.runs.empty()) {
        std::cout << "runs      none\n";
    }
}

void print_counts(const Story& story) {
    std::map<std::tuple<history::Stream, std::string_view, std::string, int>, std::int64_t> counts;
    for (const history::Cell& cell : story.cells) {
        ++counts[{cell.stream, outcome_of(cell), cell.reason.value_or(""), rule_of(cell)}];
    }
    for (const auto& [key, count] : counts) {
        const auto& [stream, outcome, reason, rule] = key;
        std::cout << fmt::format("{:<13}  {:>6}  {}{} (rule {})\n", history::to_string(stream), count, outcome,
                                 reason.empty() ? "" : ", " + core::printable(reason), rule);
    }
}

void print_cells(const Story& story) {
    for (const history::Cell& cell : story.cells) {
        std::cout << fmt::format("{}: {}{}{} (rule {})\n", describe(cell), outcome_of(cell),
                                 cell.reason ? ", " + core::printable(*cell.reason) : "",
                                 cell.last_error ? ": " + core::printable(*cell.last_error, longest_error) : "",
                                 rule_of(cell));
        for (const history::Attempt& attempt : cell.attempts) {
            std::cout << fmt::format("  run {} at {}: {}{}{}{}\n", attempt.sync_run_id,
                                     core::format_instant(attempt.finished_at), history::to_string(attempt.status),
                                     attempt.reason ? ", " + core::printable(*attempt.reason) : "",
                                     attempt.http_status ? fmt::format(" (HTTP {})", *attempt.http_status) : "",
                                     attempt.error ? ": " + core::printable(*attempt.error, longest_error) : "");
        }
    }
}

void write_attempts(core::Json& json, const std::vector<history::Attempt>& attempts) {
    json.begin_array();
    for (const history::Attempt& attempt : attempts) {
        json.begin_object();
        json.member("sync_run_id", attempt.sync_run_id);
        json.member("status", history::to_string(attempt.status));
        json.member("reason", attempt.reason);
        json.member("http_status", attempt.http_status);
        json.member("error", attempt.error);
        json.member("finished_at", attempt.finished_at);
        json.end_object();
    }
    json.end_array();
}

void write_cell(core::Json& json, const history::Cell& cell) {
    json.begin_object();
    json.member("stream", history::to_string(cell.stream));
    json.member("organisation_id", cell.organisation_id);
    json.member("business_id", cell.business_id);
    json.member("period_start", cell.period_start);
    json.member("period_end", cell.period_end);
    json.member("report_id", cell.report_id);
    json.member("generated_at", cell.generated_at);
    json.member("outcome", history::to_string(cell.outcome));
    json.key("state");
    if (cell.outcome == history::Outcome::missing) {
        json.value(cell.is_open ? "open" : "final");
    } else {
        json.value(std::nullopt);
    }
    json.member("reason", cell.reason);
    json.member("rule", rule_of(cell));
    json.member("last_error", cell.last_error);
    json.key("attempts");
    write_attempts(json, cell.attempts);
    json.end_object();
}

void print_as_json(const Story& story) {
    core::Json json;
    json.begin_object();
    json.member("date", story.date);
    json.member("slot", story.state.slot);
    json.member("ready", story.state.ready);
    json.member("complete", story.state.complete);
    json.key("runs");
    json.begin_array();
    for (const history::RunRecord& run : story.runs) {
        json.begin_object();
        json.member("sync_run_id", run.sync_run_id);
        json.member("trigger", history::to_string(run.trigger));
        json.member("started_at", run.started_at);
        json.member("finished_at", run.finished_at);
        json.member("status", history::to_string(run.status));
        json.member("limited_to", run.limited_to);
        json.member("error", run.error);
        json.end_object();
    }
    json.end_array();
    json.key("cells");
    json.begin_array();
    for (const history::Cell& cell : story.cells) {
        write_cell(json, cell);
    }
    json.end_array();
    json.end_object();
    std::cout << json.text() << '\n';
}

}  // namespace

core::ExitCode why(const config::Config& config, const WhyCommand& command) {
    boost::asio::io_context loop{1};
    Story story;
    story.date = command.date;
    if (has_schema(config)) {
        history::Database database{loop.get_executor(), config.database.url};
        auto job = [&](history::Transaction& transaction) {
            if (history::history_dates(transaction)) {
                story.state = history::date_state(transaction, command.date);
                story.runs = history::last_runs(transaction, most_runs, command.date);
                story.cells = history::explain(transaction, command.date, command.organisation_id);
            }
        };
        run_to_its_end(loop, database.transact(job));
    }
    std::ranges::reverse(story.runs);
    if (command.json) {
        print_as_json(story);
        return core::ExitCode::done;
    }
    print_head(story);
    if (story.cells.empty()) {
        std::cout << "nothing is expected of this date (rule 6)\n";
    } else if (command.organisation_id) {
        print_cells(story);
    } else {
        print_counts(story);
    }
    return core::ExitCode::done;
}

}  // namespace heiasync::commands
