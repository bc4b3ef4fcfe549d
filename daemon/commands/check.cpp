#include "commands/commands.hpp"

#include <iostream>

namespace heiasync::commands {

std::string_view version() {
    return HEIASYNC_VERSION;
}

core::ExitCode check(const config::Config& config) {
    for (const std::string& warning : config.warnings) {
        std::cerr << warning << '\n';
    }
    std::cout << config::print(config);
    return core::ExitCode::done;
}

}  // namespace heiasync::commands
