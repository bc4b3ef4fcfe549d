#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/place.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "core/counted.hpp"
#include "core/json.hpp"
#include "core/printable.hpp"
#include "history/database.hpp"
#include "history/explanation.hpp"
#include "history/gaps.hpp"
#include "history/status.hpp"
#include "status/daemon_report.hpp"

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

constexpr int most_runs = 10'000;

/// What there is to say of a date.
struct Story {
    core::Date date{};
    history::DateState state;
    std::vector<history::RunRecord> runs;
    history::Explanation explanation;
    std::optional<history::Acquaintance> organisation;  ///< the one that was asked for
};

/// The rule of docs/rules.md that an outcome follows from.
int rule_of(const history::Cell& cell) {
    switch (cell.outcome) {
        case history::Outcome::stored:
            return 4;
        case history::Outcome::not_due:
            return 7;
        case history::Outcome::not_expected:
        case history::Outcome::erased:
            return 6;
        case history::Outcome::missing:
        case history::Outcome::skipped:
            break;
    }
    if (!cell.reason) {
        return 7;
    }
    constexpr std::array<std::pair<std::string_view, int>, 9> rules{{{"below_minimum_accepted_members", 5},
                                                                     {"gate_unknown", 5},
                                                                     {"listing_shrank", 9},
                                                                     {"listing_incomplete", 9},
                                                                     {"no_run", 2},
                                                                     {"too_late", 4},
                                                                     {"superseded", 7},
                                                                     {"organisation_removed", 7},
                                                                     {"no_longer_listed", 7}}};
    const auto* const found =
        std::ranges::find_if(rules, [&cell](const auto& rule) { return cell.reason->starts_with(rule.first); });
    return found != rules.end() ? found->second : 8;
}

std::string outcome_of(const history::Cell& cell) {
    switch (cell.outcome) {
        case history::Outcome::missing:
            return !cell.is_open ? "missing, but no gap: please report it" : *cell.is_open ? "open gap" : "final gap";
        case history::Outcome::not_due:
            return "not due yet";
        case history::Outcome::not_expected:
            return cell.reason ? "not expected" : "not expected, but done";
        case history::Outcome::erased:
            return "erased by `heiasyncd forget`";
        case history::Outcome::stored:
        case history::Outcome::skipped:
            break;
    }
    return std::string{history::to_string(cell.outcome)};
}

std::string_view word(const std::optional<bool>& answer) {
    return !answer ? "-" : *answer ? "yes" : "no";
}

std::string slot_of(const Story& story, const date::time_zone* zone) {
    if (zone == nullptr) {
        return "unknown: nothing was ever run";
    }
    return story.state.slot ? calendar::format_local(*story.state.slot, *zone) : "none (rule 1)";
}

void print_head(const Story& story) {
    const date::time_zone* zone = story.state.time_zone.empty() ? nullptr : &calendar::find_zone(story.state.time_zone);
    std::cout << fmt::format("date      {}\nslot      {}\nready     {}\ncomplete  {}\n", core::format_date(story.date),
                             slot_of(story, zone), word(story.state.ready), word(story.state.complete));
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
    const bool is_anything_expected = std::ranges::any_of(story.explanation.cells, [](const history::Cell& cell) {
        return cell.outcome != history::Outcome::not_expected && cell.outcome != history::Outcome::erased;
    });
    if (story.explanation.is_to_come) {
        std::cout << "nothing is expected yet: the date is still to come (rule 7)\n";
    } else if (!is_anything_expected) {
        std::cout << "nothing is expected of this date (rule 6)\n";
    }
}

void print_counts(const Story& story) {
    std::map<std::tuple<history::Stream, std::string, std::string, int>, std::int64_t> counts;
    for (const history::Cell& cell : story.explanation.cells) {
        ++counts[{cell.stream, outcome_of(cell), cell.reason.value_or(""), rule_of(cell)}];
    }
    for (const auto& [key, count] : counts) {
        const auto& [stream, outcome, reason, rule] = key;
        std::cout << fmt::format("{:<13}  {:>6}  {}{} (rule {})\n", history::to_string(stream), count, outcome,
                                 reason.empty() ? "" : ", " + core::printable(reason), rule);
    }
}

void print_cells(const Story& story) {
    for (const history::Cell& cell : story.explanation.cells) {
        std::cout << fmt::format(
            "{}{}: {}{}{} (rule {})\n", history::to_string(cell.stream), describe_place(cell, cell.period_end),
            outcome_of(cell), cell.reason ? ", " + core::printable(*cell.reason) : "",
            cell.last_error ? ": " + core::printable(*cell.last_error, longest_error) : "", rule_of(cell));
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
    write_place(json, cell, cell.period_end, cell.generated_at);
    json.member("outcome", history::to_string(cell.outcome));
    json.member("state", !cell.is_open ? std::nullopt : std::optional{*cell.is_open ? "open" : "final"});
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
    status::write_runs(json, story.runs);
    if (story.organisation) {
        json.member("organisation_is_known", story.organisation->is_known);
        json.member("organisation_erased_at", story.organisation->erased_at);
    }
    json.key("cells");
    json.begin_array();
    for (const history::Cell& cell : story.explanation.cells) {
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
    require_history(config);
    history::Database database{loop.get_executor(), config.database.url, {}, history::Access::read};
    auto job = [&](history::Transaction& transaction) {
        story.state = history::date_state(transaction, command.date);
        story.runs = history::last_runs(transaction, most_runs, command.date);
        story.explanation = history::explain(transaction, command.date, command.organisation_id);
        if (command.organisation_id) {
            story.organisation = history::acquaintance(transaction, *command.organisation_id);
        }
    };
    run_to_its_end(loop, database.transact(job));
    std::ranges::reverse(story.runs);
    if (command.json) {
        print_as_json(story);
        return core::ExitCode::done;
    }
    print_head(story);
    if (story.organisation && story.organisation->erased_at) {
        std::cout << fmt::format("organisation {} was erased at {}: nothing is asked or expected of it\n",
                                 *command.organisation_id, core::format_instant(*story.organisation->erased_at));
    } else if (story.organisation && !story.organisation->is_known) {
        std::cout << fmt::format("organisation {} was never listed\n", *command.organisation_id);
    }
    if (command.organisation_id) {
        print_cells(story);
    } else {
        print_counts(story);
    }
    return core::ExitCode::done;
}

}  // namespace heiasync::commands
