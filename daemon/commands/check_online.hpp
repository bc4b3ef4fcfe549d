#pragma once

#include "config/config.hpp"
#include "core/exit_code.hpp"

namespace heiasync::commands {

/// Asks the database and the API what a sync would meet, and prints it as a table on stdout; on stderr, what is wrong
/// and what to do about it. Stores nothing. Blocks. The exit code is that of the first thing wrong in this order: not
/// reachable, credentials rejected, configuration or schema.
core::ExitCode check_online(const config::Config& config);

}  // namespace heiasync::commands
