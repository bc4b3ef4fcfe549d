#pragma once

#include "core/exit_code.hpp"
#include "core/instant.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace heiasync {

/// `--simulated-time START[,RATE|,jump]`.
struct SimulatedTime {
    core::Instant start{};
    double rate = 1.0;
    bool jump = false;  ///< leaps to the next deadline whenever nothing is in hand
};

struct RunCommand {
    std::optional<SimulatedTime> simulated_time;
};

struct SyncCommand {
    std::vector<std::string> streams;  ///< as written: `organisations`, `usage-stats`, `energy-levels`, `reports`
    std::vector<std::int64_t> organisations;
    std::optional<core::Date> period_month;  ///< the first of the month
    std::optional<SimulatedTime> simulated_time;
    bool accept_vanished = false;
    bool wait = false;  ///< for a run that is going on
    bool dry_run = false;
};

struct ScheduleCommand {
    int count = 10;
    std::optional<core::Instant> from;  ///< unset: now
    bool json = false;
};

struct StatusCommand {
    bool json = false;
};

struct GapsCommand {
    std::optional<core::Date> from;  ///< unset: 400 days before `to`
    std::optional<core::Date> to;    ///< unset: today
    bool open = false;               ///< only those that may still be filled
    bool json = false;
};

struct WhyCommand {
    core::Date date{};
    std::optional<std::int64_t> organisation_id;
    bool json = false;
};

struct MigrateCommand {
    std::optional<int> to;
    bool wait = false;  ///< for a run that is going on
    bool status = false;
    bool dry_run = false;
};

struct RebuildCommand {
    std::vector<std::string> streams;  ///< as written: `energy-levels`, `reports`; none: both
    std::optional<core::Date> since;   ///< a local date
    bool wait = false;                 ///< for a run that is going on
};

struct ForgetCommand {
    std::optional<std::int64_t> organisation_id;  ///< one of the two is set, or both: a report of that organisation
    std::optional<std::int64_t> report_id;
    bool open_answers_only = false;
    std::optional<std::string> reason;
    std::optional<std::int64_t> confirm;  ///< the id once more
    bool dry_run = false;
    bool wait = false;  ///< for a run that is going on
};

struct CheckCommand {
    bool online = false;
};

struct VersionCommand {};

using Command = std::variant<RunCommand, SyncCommand, ScheduleCommand, StatusCommand, GapsCommand, WhyCommand,
                             MigrateCommand, RebuildCommand, ForgetCommand, CheckCommand, VersionCommand>;

struct CommandLine {
    std::filesystem::path config_file;
    bool quiet = false;
    Command command;
};

/// The command line ends the program at once: help was asked for, or it is wrong.
struct CommandLineEnd {
    core::ExitCode code = core::ExitCode::done;
    std::string text;  ///< for stdout where the code is done, else for stderr
};

/// Reads the command line. `default_config` is used where --config is not given.
std::variant<CommandLine, CommandLineEnd> parse_command_line(int argc, const char* const* argv,
                                                             const std::filesystem::path& default_config);

}  // namespace heiasync
