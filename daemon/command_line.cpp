#include "command_line.hpp"

#include "core/nearest.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <optional>

namespace heiasync {

namespace {

constexpr const char* epilogue =
    "Exit codes: 0 done; 1 finished, but some organisation or report failed; 64 usage; 69 API or database not\n"
    "reachable; 70 a bug of ours; 75 another run is going; 77 credentials rejected; 78 configuration or schema.";

const std::vector<std::string> stream_names{"organisations", "usage-stats", "energy-levels", "reports"};
const std::vector<std::string> document_stream_names{"energy-levels", "reports"};

/// Digits only: CLI11's own numbers take octal and hexadecimal, and cut what is too large.
std::string positive_integer(const std::string& text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    const bool is_plain = error == std::errc{} && rest == end && value > 0 && text.front() != '0';
    return is_plain ? std::string{} : "expected a whole number above 0";
}

core::Date parse_month(const std::string& text) {
    try {
        return core::parse_date(text + "-01");
    } catch (const std::invalid_argument&) {
        throw CLI::ValidationError{"--period", "expected a month as YYYY-MM, such as 2026-05"};
    }
}

core::Date parse_since(const std::string& text) {
    try {
        return core::parse_date(text);
    } catch (const std::invalid_argument&) {
        throw CLI::ValidationError{"--since", "expected a date as YYYY-MM-DD, such as 2026-05-31"};
    }
}

core::Instant parse_from(const std::string& text) {
    try {
        return core::parse_instant(text);
    } catch (const std::invalid_argument&) {
        throw CLI::ValidationError{"--from", "expected an ISO 8601 instant, such as 2026-06-01T01:30:00Z"};
    }
}

SimulatedTime parse_simulated_time(const std::string& text) {
    SimulatedTime result;
    const std::size_t comma = text.find(',');
    try {
        result.start = core::parse_instant(std::string_view{text}.substr(0, comma));
    } catch (const std::invalid_argument&) {
        throw CLI::ValidationError{"--simulated-time", "expected an ISO 8601 instant, such as 2026-06-01T01:30:00Z"};
    }
    if (comma == std::string::npos) {
        return result;
    }
    if (text.substr(comma + 1) == "jump") {
        result.jump = true;
        return result;
    }
    const char* const begin = text.data() + comma + 1;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(begin, end, result.rate);
    const bool in_range = result.rate > 0 && result.rate <= 1e6;
    if (error != std::errc{} || rest != end || !in_range) {
        throw CLI::ValidationError{"--simulated-time",
                                   "expected a rate above 0 and up to 1000000, or jump, after the comma"};
    }
    return result;
}

/// The commands and options that this program knows, for the one that was nearly meant.
std::vector<std::string> known_words(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        words.push_back(command->get_name());
        for (const CLI::Option* option : command->get_options()) {
            words.push_back(option->get_name());
        }
    }
    for (const CLI::Option* option : app.get_options()) {
        words.push_back(option->get_name());
    }
    return words;
}

std::string usage_error(const CLI::App& app, const CLI::Error& error, const std::vector<std::string>& arguments) {
    const std::vector<std::string> known = known_words(app);
    for (const std::string& argument : arguments) {
        const std::string word = argument.substr(0, argument.find('='));
        const bool known_word = std::find(known.begin(), known.end(), word) != known.end();
        const auto near = known_word ? std::nullopt : core::nearest(word, known);
        if (near) {
            return fmt::format("heiasyncd: unknown: {}; did you mean {}?\n", word, *near);
        }
    }
    return fmt::format("heiasyncd: {}\nRun `heiasyncd --help` for what there is.\n", error.what());
}

CLI::App* add_run(CLI::App& app, std::string& simulated_time) {
    CLI::App* run = app.add_subcommand("run", "The daemon, in the foreground: one sync a day, by the calendar");
    run->add_option("--simulated-time", simulated_time,
                    "Rehearsal: the calendar starts at START[,RATE], or leaps from slot to slot with START,jump; only "
                    "against a loopback server");
    run->footer(
        "SIGHUP reloads the configuration and the secret files, SIGUSR1 starts a sync now, SIGTERM and SIGINT stop.\n\n"
        "Examples:\n  heiasyncd run\n  heiasyncd --config rehearsal.yaml run --simulated-time "
        "2026-03-27T00:00:00Z,jump");
    return run;
}

struct SyncText {
    std::string period;
    std::string simulated_time;
};

CLI::App* add_sync(CLI::App& app, SyncCommand& command, SyncText& text) {
    CLI::App* sync = app.add_subcommand("sync", "One sync now, then exit");
    sync->add_option("--stream", command.streams, "Only this stream; repeatable; default: what is due today")
        ->check(CLI::IsMember(stream_names))
        ->allow_extra_args(false);
    sync->add_option("--organisation", command.organisations, "Only this organisation, by its id; repeatable")
        ->check(positive_integer)
        ->allow_extra_args(false);
    sync->add_option(
        "--period", text.period,
        "Energy levels of the reporting period with this month (YYYY-MM), cells not stored yet, however late");
    sync->add_flag("--accept-vanished", command.accept_vanished,
                   "Take organisations that the listing lacks for gone, however many they are");
    sync->add_flag("--wait", command.wait, "Where another run is going on, wait for it");
    sync->add_flag("--dry-run", command.dry_run, "Say which requests would be made and why; write nothing");
    sync->add_option("--simulated-time", text.simulated_time,
                     "Rehearsal: the calendar starts at START[,RATE]; only against a loopback server");
    sync->footer(
        "Examples:\n  heiasyncd sync\n  heiasyncd sync --dry-run\n  heiasyncd sync --stream reports --organisation "
        "123\n"
        "  heiasyncd sync --period 2026-05");
    return sync;
}

CLI::App* add_schedule(CLI::App& app, ScheduleCommand& command, std::string& from) {
    constexpr int most = 10'000;
    CLI::App* schedule =
        app.add_subcommand("schedule", "Show the next firings, and the reporting period each would pull");
    schedule->add_option("--count", command.count, "How many")
        ->check(positive_integer)
        ->check(CLI::Range(1, most))
        ->capture_default_str();
    schedule->add_option("--from", from, "Those after this instant (ISO 8601); default: now");
    schedule->add_flag("--json", command.json, "As JSON");
    schedule->footer("Examples:\n  heiasyncd schedule\n  heiasyncd schedule --from 2026-10-20T00:00:00Z --count 14");
    return schedule;
}

CLI::App* add_status(CLI::App& app, StatusCommand& command) {
    CLI::App* status = app.add_subcommand("status", "Show how things stand: the daemon, its last runs, what failed");
    status->add_flag("--json", command.json, "As JSON");
    status->footer(
        "Ends with 1 unless the last due date has its history: its slot had its run, and nothing is left failed.\n\n"
        "Examples:\n  heiasyncd status\n  heiasyncd status --json");
    return status;
}

/// What reads the value of an option into a date.
std::function<void(const std::string&)> into(std::optional<core::Date>& date, const char* option) {
    return [&date, option](const std::string& text) {
        try {
            date = core::parse_date(text);
        } catch (const std::invalid_argument&) {
            throw CLI::ValidationError{option, "expected a date as YYYY-MM-DD, such as 2026-05-01"};
        }
    };
}

CLI::App* add_gaps(CLI::App& app, GapsCommand& command) {
    CLI::App* gaps = app.add_subcommand("gaps", "Show what should be in the history and is not, and why");
    gaps->add_option_function<std::string>("--from", into(command.from, "--from"),
                                           "From this date on (YYYY-MM-DD); default: 400 days before --to");
    gaps->add_option_function<std::string>("--to", into(command.to, "--to"),
                                           "Up to this date, inclusive; default: today");
    gaps->add_flag("--open", command.open, "Only those that may still be filled");
    gaps->add_flag("--json", command.json, "As JSON");
    gaps->footer(
        "Ends with 1 if there are any.\n\n"
        "Examples:\n  heiasyncd gaps --open\n  heiasyncd gaps --from 2026-05-01 --to 2026-05-31 --json");
    return gaps;
}

CLI::App* add_why(CLI::App& app, WhyCommand& command) {
    CLI::App* why = app.add_subcommand(
        "why", "Show everything that happened to a date: slot, runs, attempts, skips, gaps, and the rule behind each");
    const auto read_date = [&command](const std::string& text) {
        std::optional<core::Date> date;
        into(date, "DATE")(text);
        command.date = *date;
    };
    why->add_option_function<std::string>("DATE", read_date, "The date, as YYYY-MM-DD")->required();
    why->add_option("--organisation", command.organisation_id, "Only this organisation, by its id, attempt by attempt")
        ->check(positive_integer);
    why->add_flag("--json", command.json, "As JSON");
    why->footer("Examples:\n  heiasyncd why 2026-05-01\n  heiasyncd why 2026-05-01 --organisation 123");
    return why;
}

CLI::App* add_migrate(CLI::App& app, MigrateCommand& command) {
    CLI::App* migrate = app.add_subcommand("migrate", "Bring the database schema up to date");
    auto* status = migrate->add_flag("--status", command.status, "Show it only: 0 current, 1 pending, 78 newer");
    migrate->add_flag("--dry-run", command.dry_run, "Show what would be applied")->excludes(status);
    migrate->add_option("--to", command.to, "Up to this version; forward only")
        ->excludes(status)
        ->check(positive_integer);
    migrate->add_flag("--wait", command.wait, "Wait for a run that is going on; for another migrate it always waits");
    migrate->footer("Examples:\n  heiasyncd migrate\n  heiasyncd migrate --status");
    return migrate;
}

CLI::App* add_rebuild(CLI::App& app, RebuildCommand& command, std::string& since) {
    CLI::App* rebuild = app.add_subcommand(
        "rebuild", "Derive the rows of energy levels and reports again from the bytes that were kept; asks no API");
    rebuild->add_option("--stream", command.streams, "Only this stream; repeatable; default: both")
        ->check(CLI::IsMember(document_stream_names))
        ->allow_extra_args(false);
    rebuild->add_option("--since", since,
                        "Only documents that arrived on this date (YYYY-MM-DD, of schedule.time_zone) or later");
    rebuild->add_flag("--wait", command.wait, "Where a run is going on, wait for it");
    rebuild->footer(
        "After a change of what is read from documents, or after rows were lost. Only what differs is written.\n"
        "Ends with 1 where the bytes of a document are damaged: what stands of it is left as it is.\n\n"
        "Examples:\n  heiasyncd rebuild\n  heiasyncd rebuild --stream reports --since 2026-05-31");
    return rebuild;
}

CLI::App* add_forget(CLI::App& app, ForgetCommand& command) {
    CLI::App* forget = app.add_subcommand(
        "forget",
        "Erase an organisation, a report, or what people wrote in their own words: rows, documents and bytes");
    forget->add_option("--organisation", command.organisation_id, "This organisation, by its id")
        ->check(positive_integer);
    forget->add_option("--report", command.report_id, "This report, by its id, in all its versions")
        ->check(positive_integer);
    forget->add_flag(
        "--open-answers-only", command.open_answers_only,
        "Only what people wrote in their own words, of the report or of all documents of the organisation");
    forget->add_option("--reason", command.reason, "Why, for the receipt: in words that name nobody");
    forget->add_flag("--dry-run", command.dry_run, "Say what would be erased; write nothing");
    forget->add_option("--confirm", command.confirm, "The same id once more; needed where nobody can be asked")
        ->check(positive_integer);
    forget->add_flag("--wait", command.wait, "Where a run is going on, wait for it");
    forget->footer(
        "What was erased is not fetched again. A receipt without names stays in heiasync.erasures, and so do the ids "
        "in\n"
        "the ledger. Backups, archived write-ahead log and copies elsewhere are yours to erase.\n\n"
        "Examples:\n  heiasyncd forget --organisation 123 --dry-run\n"
        "  heiasyncd forget --organisation 123 --reason \"contract ended, ticket 4711\"\n"
        "  heiasyncd forget --report 456 --open-answers-only --confirm 456");
    return forget;
}

/// What is wrong with how the options go together; empty where nothing is.
std::string mistake_in(const ForgetCommand& command) {
    if (!command.organisation_id && !command.report_id) {
        return "heiasyncd: forget: say what is to be erased, with --organisation ID or --report ID\n";
    }
    const std::int64_t id = command.report_id ? *command.report_id : *command.organisation_id;
    if (command.confirm && *command.confirm != id) {
        return fmt::format("heiasyncd: forget: --confirm {} is not the id of what is to be erased, {}\n",
                           *command.confirm, id);
    }
    return {};
}

CLI::App* add_check(CLI::App& app, CheckCommand& command) {
    CLI::App* check = app.add_subcommand("check", "Validate the configuration and print the effective one");
    check->add_flag("--online", command.online,
                    "Ask the database and the API as well what a sync would meet; nothing is stored");
    check->footer("Examples:\n  heiasyncd --config /etc/heiasync/heiasyncd.yaml check\n  heiasyncd check --online");
    return check;
}

}  // namespace

std::variant<CommandLine, CommandLineEnd> parse_command_line(int argc, const char* const* argv,
                                                             const std::filesystem::path& default_config) {
    CommandLine line;
    line.config_file = default_config;
    RunCommand run_command;
    std::string run_simulated_time;
    SyncCommand sync_command;
    SyncText sync_text;
    ScheduleCommand schedule_command;
    std::string schedule_from;
    StatusCommand status_command;
    GapsCommand gaps_command;
    WhyCommand why_command;
    MigrateCommand migrate_command;
    RebuildCommand rebuild_command;
    std::string rebuild_since;
    ForgetCommand forget_command;
    CheckCommand check_command;
    bool version_flag = false;

    CLI::App app{"Keeps, in PostgreSQL, the history that the HeiaHeia Admin API does not keep", "heiasyncd"};
    app.add_option("--config", line.config_file, "The configuration file")->capture_default_str();
    app.add_flag("-q,--quiet", line.quiet, "Warnings and errors only");
    app.add_flag("--version", version_flag, "Print the version");
    app.footer(epilogue);
    app.fallthrough();
    const CLI::App* run = add_run(app, run_simulated_time);
    const CLI::App* sync = add_sync(app, sync_command, sync_text);
    const CLI::App* schedule = add_schedule(app, schedule_command, schedule_from);
    const CLI::App* status = add_status(app, status_command);
    const CLI::App* gaps = add_gaps(app, gaps_command);
    const CLI::App* why = add_why(app, why_command);
    const CLI::App* migrate = add_migrate(app, migrate_command);
    const CLI::App* rebuild = add_rebuild(app, rebuild_command, rebuild_since);
    const CLI::App* forget = add_forget(app, forget_command);
    const CLI::App* check = add_check(app, check_command);
    const CLI::App* version = app.add_subcommand("version", "Print the version");
    app.require_subcommand(0, 1);

    const std::vector<std::string> arguments{argv + std::min(argc, 1), argv + argc};
    try {
        app.parse(argc, argv);
        if (run->count("--simulated-time") > 0) {
            run_command.simulated_time = parse_simulated_time(run_simulated_time);
        }
        if (sync->parsed()) {
            if (sync->count("--period") > 0) {
                sync_command.period_month = parse_month(sync_text.period);
            }
            if (sync->count("--simulated-time") > 0) {
                sync_command.simulated_time = parse_simulated_time(sync_text.simulated_time);
            }
        }
        if (schedule->count("--from") > 0) {
            schedule_command.from = parse_from(schedule_from);
        }
        if (rebuild->count("--since") > 0) {
            rebuild_command.since = parse_since(rebuild_since);
        }
    } catch (const CLI::CallForHelp&) {
        return CommandLineEnd{core::ExitCode::done, app.help()};
    } catch (const CLI::Error& error) {
        return CommandLineEnd{core::ExitCode::usage, usage_error(app, error, arguments)};
    }

    if (version_flag || version->parsed()) {
        line.command = VersionCommand{};
    } else if (run->parsed()) {
        line.command = run_command;
    } else if (sync->parsed()) {
        line.command = std::move(sync_command);
    } else if (schedule->parsed()) {
        line.command = schedule_command;
    } else if (status->parsed()) {
        line.command = status_command;
    } else if (gaps->parsed()) {
        line.command = gaps_command;
    } else if (why->parsed()) {
        line.command = why_command;
    } else if (migrate->parsed()) {
        line.command = migrate_command;
    } else if (rebuild->parsed()) {
        line.command = std::move(rebuild_command);
    } else if (forget->parsed()) {
        if (const std::string mistake = mistake_in(forget_command); !mistake.empty()) {
            return CommandLineEnd{core::ExitCode::usage, mistake};
        }
        line.command = std::move(forget_command);
    } else if (check->parsed()) {
        line.command = check_command;
    } else {
        return CommandLineEnd{core::ExitCode::usage, app.help()};
    }
    return line;
}

}  // namespace heiasync
