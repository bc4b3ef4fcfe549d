#include "commands/check_online.hpp"
#include "commands/commands.hpp"

#include <iostream>

namespace heiasync::commands {

std::string_view version() {
    return HEIASYNC_VERSION;
}

core::ExitCode check(const config::Config& config, const CheckCommand& command) {
    for (const std::string& warning : config.warnings) {
        std::cerr << warning << '\n';
    }
    std::cout << config::print(config) << std::flush;
    return command.online ? check_online(config) : core::ExitCode::done;
}

}  // namespace heiasync::commands
