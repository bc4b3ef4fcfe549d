#include "command_line.hpp"
#include "commands/commands.hpp"
#include "commands/schema.hpp"
#include "config/config.hpp"
#include "history/error.hpp"
#include "logging.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <type_traits>
#include <variant>

namespace {

namespace heiasync_commands = heiasync::commands;
using heiasync::core::ExitCode;

std::filesystem::path default_config() {
    const char* const from_environment = std::getenv("HEIASYNC_CONFIG");
    return from_environment != nullptr ? from_environment : "/etc/heiasync/heiasyncd.yaml";
}

ExitCode execute(const heiasync::CommandLine& line) {
    if (std::holds_alternative<heiasync::VersionCommand>(line.command)) {
        std::cout << "heiasyncd " << heiasync_commands::version() << '\n';
        return ExitCode::done;
    }
    if (std::holds_alternative<heiasync::RunCommand>(line.command)) {
        heiasync_commands::hold_daemon_signals();
    }
    const heiasync::config::Config config = heiasync::config::load(line.config_file);
    if (const auto* command = std::get_if<heiasync::RunCommand>(&line.command)) {
        return heiasync_commands::run(config, *command, line.quiet);
    }
    if (const auto* command = std::get_if<heiasync::SyncCommand>(&line.command)) {
        return heiasync_commands::sync(config, *command, line.quiet);
    }
    if (const auto* command = std::get_if<heiasync::ScheduleCommand>(&line.command)) {
        return heiasync_commands::schedule(config, *command);
    }
    if (const auto* command = std::get_if<heiasync::StatusCommand>(&line.command)) {
        return heiasync_commands::status(config, *command);
    }
    if (const auto* command = std::get_if<heiasync::GapsCommand>(&line.command)) {
        return heiasync_commands::gaps(config, *command);
    }
    if (const auto* command = std::get_if<heiasync::WhyCommand>(&line.command)) {
        return heiasync_commands::why(config, *command);
    }
    if (const auto* command = std::get_if<heiasync::MigrateCommand>(&line.command)) {
        return heiasync_commands::migrate(config, *command, line.quiet);
    }
    if (const auto* command = std::get_if<heiasync::RebuildCommand>(&line.command)) {
        return heiasync_commands::rebuild(config, *command, line.quiet);
    }
    if (const auto* command = std::get_if<heiasync::ForgetCommand>(&line.command)) {
        return heiasync_commands::forget(config, *command, line.quiet);
    }
    return heiasync_commands::check(config, std::get<heiasync::CheckCommand>(line.command));
}

ExitCode guarded(const heiasync::CommandLine& line) {
    try {
        return execute(line);
    } catch (const heiasync::config::ConfigError& error) {
        heiasync::complain(error.what());
        return ExitCode::configuration;
    } catch (const heiasync_commands::CommandError& error) {
        heiasync::complain(std::string{"heiasyncd: "} + error.what());
        return error.code();
    } catch (const heiasync::history::DatabaseError& error) {
        const ExitCode code = heiasync_commands::exit_code(error);
        constexpr std::string_view insufficient_privilege = "42501";
        const char* const advice = code == ExitCode::unavailable ? "; check database.url and the server"
                                   : error.sqlstate() == insufficient_privilege
                                       ? "; see deploy/postgres/roles.sql for which role may do it"
                                       : "";
        heiasync::complain(std::string{"heiasyncd: "} + error.what() + advice);
        return code;
    } catch (const std::exception& error) {
        heiasync::complain(std::string{"heiasyncd: a bug of ours, please report it: "} + error.what());
        return ExitCode::bug;
    }
}

/// Of stdout, a pipe: who has read enough.
bool reader_is_gone() {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

int main(int argc, char* argv[]) {
    // Where the shell closed one of these, the next thing that is opened would take its place, and what is printed
    // would go there: into the connection to the database.
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1 && ::open("/dev/null", O_RDWR) == -1) {
            return static_cast<int>(ExitCode::bug);
        }
    }
    // A reader of our output that has gone must not end a run in the middle.
    std::signal(SIGPIPE, SIG_IGN);
    auto parsed = heiasync::parse_command_line(argc, argv, default_config());
    if (const auto* end = std::get_if<heiasync::CommandLineEnd>(&parsed)) {
        (end->code == ExitCode::done ? std::cout : std::cerr) << end->text;
        return static_cast<int>(end->code);
    }
    const ExitCode code = guarded(std::get<heiasync::CommandLine>(parsed));
    if (!std::cout.flush() && !reader_is_gone()) {
        std::cerr << "heiasyncd: stdout cannot be written\n";
        return static_cast<int>(code == ExitCode::done ? ExitCode::incomplete : code);
    }
    return static_cast<int>(code);
}
