#include "commands/schema.hpp"

#include "commands/run_settings.hpp"
#include "history/migrations.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>

namespace heiasync::commands {

namespace {

constexpr const char* out_of_date = "the schema of the database is not up to date; run `heiasyncd migrate`";

void require_current(const history::SchemaStatus& status) {
    history::require_ours(status);
    if (status.state != history::SchemaStatus::State::current) {
        throw CommandError{core::ExitCode::configuration, out_of_date};
    }
}

}  // namespace

core::ExitCode exit_code(const history::DatabaseError& error) {
    using Kind = history::DatabaseError::Kind;
    if (error.kind() == Kind::busy) {
        return core::ExitCode::busy;
    }
    if (error.may_pass()) {
        return core::ExitCode::unavailable;
    }
    const bool is_configuration = error.kind() == Kind::schema || error.kind() == Kind::settings;
    return is_configuration ? core::ExitCode::configuration : core::ExitCode::bug;
}

const std::string& owner_url(const config::Config& config) {
    return config.database.owner_url ? *config.database.owner_url : config.database.url;
}

bool has_schema(const config::Config& config) {
    using State = history::MigrationStatus::State;
    const history::SchemaStatus status =
        history::schema_status(config.database.url, history::embedded_migrations(), history::Access::read);
    history::require_ours(status);
    const auto is_applied = [](const history::MigrationStatus& migration) { return migration.state == State::applied; };
    const bool any = std::any_of(status.migrations.begin(), status.migrations.end(), is_applied);
    if (any && status.state == history::SchemaStatus::State::pending) {
        throw CommandError{core::ExitCode::configuration, out_of_date};
    }
    return any;
}

void require_history(const config::Config& config) {
    if (!has_schema(config)) {
        throw CommandError{
            core::ExitCode::configuration,
            "there is no history in this database: it has no schema heiasync; check database.url, or begin "
            "one with `heiasyncd run` or `heiasyncd sync`"};
    }
}

void require_current_schema(const std::string& url) {
    require_current(history::schema_status(url, history::embedded_migrations()));
}

void require_current_schema(history::Transaction& transaction) {
    require_current(history::schema_status(transaction, history::embedded_migrations()));
}

void prepare_schema(const config::Config& config, const core::Clock& clock, spdlog::logger& log, bool wait_for_run) {
    const history::SchemaStatus status = history::schema_status(config.database.url, history::embedded_migrations());
    history::require_ours(status);
    if (status.state != history::SchemaStatus::State::current) {
        update_schema(config, clock, log, wait_for_run);
    }
}

void update_schema(const config::Config& config, const core::Clock& clock, spdlog::logger& log, bool wait_for_run) {
    if (!config.database.migrate_on_start) {
        throw CommandError{core::ExitCode::configuration, out_of_date};
    }
    history::MigrateOptions options;
    options.wait = wait_for_run;
    options.wait_for_run = wait_for_run;
    options.taker = lock_taker("migrate", clock.now());
    options.applied = [&log](const history::MigrationStatus& migration) {
        log.info("applied migration {:04} {}", migration.version, migration.name);
    };
    try {
        history::migrate(owner_url(config), history::embedded_migrations(), options, [&clock] { return clock.now(); });
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
