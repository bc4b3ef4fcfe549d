#pragma once

#include "config/config.hpp"
#include "core/clock.hpp"
#include "core/exit_code.hpp"
#include "history/database.hpp"
#include "history/error.hpp"

#include <stdexcept>
#include <string>

namespace spdlog {
class logger;
}

namespace heiasync::commands {

/// A command cannot go on: what happened and what to do, and what to exit with.
class CommandError : public std::runtime_error {
public:
    CommandError(core::ExitCode code, const std::string& what) : std::runtime_error{what}, code_{code} {}
    [[nodiscard]] core::ExitCode code() const { return code_; }

private:
    core::ExitCode code_;
};

/// What a failure of the database means for a command: 69 where it is away, 75 where another run or migrate is going
/// on, 78 where the schema or the URL is unusable, else 70.
core::ExitCode exit_code(const history::DatabaseError& error);

/// The URL that may change the schema: database.owner_url, or database.url without one.
const std::string& owner_url(const config::Config& config);

/// Whether there is a schema to read from. Changes nothing. Throws CommandError (78) where it is of another version,
/// and DatabaseError.
bool has_schema(const config::Config& config);

/// The same for who has nothing to say without one. Throws CommandError (78) where there is none, too.
void require_history(const config::Config& config);

/// Throws CommandError (78) where there is no schema of this version at the URL, and DatabaseError. Changes nothing.
void require_current_schema(const std::string& url);
void require_current_schema(history::Transaction& transaction);

/// Makes sure that the schema is the one that this program uses: migrates where the configuration and the role allow
/// it, having waited for a run in hand where that is wanted. Throws CommandError (78) where it is not, and
/// DatabaseError: busy where a run is not waited for.
void prepare_schema(const config::Config& config, const core::Clock& clock, spdlog::logger& log,
                    bool wait_for_run = false);

/// The same where the schema is known to be out of date.
void update_schema(const config::Config& config, const core::Clock& clock, spdlog::logger& log, bool wait_for_run);

}  // namespace heiasync::commands
