#include "commands/schema.hpp"

#include "history/migrations.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

namespace heiasync::commands {

core::ExitCode exit_code(const history::DatabaseError& error) {
    switch (error.kind()) {
        case history::DatabaseError::Kind::away:
        case history::DatabaseError::Kind::in_doubt:
            return core::ExitCode::unavailable;
        case history::DatabaseError::Kind::schema:
            return core::ExitCode::configuration;
        case history::DatabaseError::Kind::refused:
        case history::DatabaseError::Kind::ours:
            break;
    }
    return core::ExitCode::bug;
}

const std::string& owner_url(const config::Config& config) {
    return config.database.owner_url ? *config.database.owner_url : config.database.url;
}

void prepare_schema(const config::Config& config, const core::Clock& clock, spdlog::logger& log) {
    using State = history::SchemaStatus::State;
    const auto migrations = history::embedded_migrations();
    const history::SchemaStatus status = history::schema_status(config.database.url, migrations);
    switch (status.state) {
        case State::current:
            return;
        case State::newer:
            throw CommandError{core::ExitCode::configuration,
                               "the database has migrations that this version of heiasyncd does not know; install the "
                               "version that applied them, see `heiasyncd migrate --status`"};
        case State::changed:
            throw CommandError{core::ExitCode::configuration,
                               "a migration in the database is not the one that this version of heiasyncd carries, see "
                               "`heiasyncd migrate --status`"};
        case State::pending:
            break;
    }
    if (!config.database.migrate_on_start) {
        throw CommandError{core::ExitCode::configuration,
                           "the schema of the database is not up to date; run `heiasyncd migrate`"};
    }
    history::MigrateOptions options;
    options.applied = [&log](const history::MigrationStatus& migration) {
        log.info("applied migration {:04} {}", migration.version, migration.name);
    };
    try {
        history::migrate(owner_url(config), migrations, options, [&clock] { return clock.now(); });
    } catch (const history::DatabaseError& error) {
        if (error.kind() != history::DatabaseError::Kind::schema) {
            throw;
        }
        throw CommandError{
            core::ExitCode::configuration,
            fmt::format("{}; run `heiasyncd migrate` as a role that may, or set database.owner_url", error.what())};
    }
}

}  // namespace heiasync::commands
