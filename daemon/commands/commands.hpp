#pragma once

#include "command_line.hpp"
#include "config/config.hpp"
#include "core/exit_code.hpp"

#include <filesystem>
#include <string_view>

namespace heiasync::commands {

/// The version of this program.
std::string_view version();

/// Validates the configuration and prints the effective one, secrets masked. Opens no secret and no network unless
/// `online`.
core::ExitCode check(const config::Config& config, const CheckCommand& command);

/// Brings the schema up to date, or shows what it is.
core::ExitCode migrate(const config::Config& config, const MigrateCommand& command, bool quiet);

/// Derives what came from documents again from their bytes.
core::ExitCode rebuild(const config::Config& config, const RebuildCommand& command, bool quiet);

/// Erases an organisation, a report or what people wrote in their own words.
core::ExitCode forget(const config::Config& config, const ForgetCommand& command, bool quiet);

/// SIGHUP and SIGUSR1 wait from now on until the daemon can take them, instead of ending it while it starts.
void hold_daemon_signals();

/// The daemon: a sync a day until it is stopped.
core::ExitCode run(const config::Config& config, const RunCommand& command, bool quiet);

/// Shows the next slots, and which reporting periods each would pull.
core::ExitCode schedule(const config::Config& config, const ScheduleCommand& command);

/// Shows how things stand, by the ledger and by the daemon that runs, if one does.
core::ExitCode status(const config::Config& config, const StatusCommand& command);

/// Shows what should be in the history and is not.
core::ExitCode gaps(const config::Config& config, const GapsCommand& command);

/// Shows everything that happened to a date.
core::ExitCode why(const config::Config& config, const WhyCommand& command);

/// One sync now.
core::ExitCode sync(const config::Config& config, const SyncCommand& command, bool quiet);

}  // namespace heiasync::commands
