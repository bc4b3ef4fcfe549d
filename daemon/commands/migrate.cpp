#include "commands/commands.hpp"
#include "commands/run_settings.hpp"
#include "commands/schema.hpp"
#include "history/migrations.hpp"

#include <fmt/format.h>

#include <iostream>
#include <stdexcept>

namespace heiasync::commands {

namespace {

std::string_view to_string(history::MigrationStatus::State state) {
    switch (state) {
        case history::MigrationStatus::State::applied:
            return "applied";
        case history::MigrationStatus::State::pending:
            return "pending";
        case history::MigrationStatus::State::changed:
            return "changed";
        case history::MigrationStatus::State::unknown:
            return "unknown to this version";
    }
    return "";
}

void print(const history::MigrationStatus& migration) {
    std::cout << fmt::format("{:04} {:<32} {}", migration.version, migration.name, to_string(migration.state));
    if (migration.applied_at) {
        std::cout << ' ' << core::format_instant(*migration.applied_at);
    }
    std::cout << '\n';
}

core::ExitCode show_status(const history::SchemaStatus& status) {
    using State = history::SchemaStatus::State;
    for (const history::MigrationStatus& migration : status.migrations) {
        print(migration);
    }
    switch (status.state) {
        case State::current:
            std::cout << "The schema is up to date.\n";
            return core::ExitCode::done;
        case State::pending:
            std::cout << "The schema is not up to date: run `heiasyncd migrate`.\n";
            return core::ExitCode::incomplete;
        case State::newer:
            std::cerr << "heiasyncd: the database is newer than this program: install the version that migrated it.\n";
            break;
        case State::changed:
            std::cerr << "heiasyncd: an applied migration differs from the one that this program carries: install the "
                         "version that applied it, or restore the database.\n";
            break;
    }
    return core::ExitCode::configuration;
}

void show_pending(const history::SchemaStatus& status, std::optional<int> to) {
    for (const history::MigrationStatus& migration : status.migrations) {
        const bool in_range = !to || migration.version <= *to;
        if (migration.state == history::MigrationStatus::State::pending && in_range) {
            print(migration);
        }
    }
}

}  // namespace

core::ExitCode migrate(const config::Config& config, const MigrateCommand& command, bool quiet) {
    const auto migrations = history::embedded_migrations();
    const std::string& url = owner_url(config);
    if (command.status || command.dry_run) {
        const history::SchemaStatus status = history::schema_status(url, migrations);
        if (command.status) {
            return show_status(status);
        }
        history::require_ours(status);
        show_pending(status, command.to);
        if (status.state == history::SchemaStatus::State::current) {
            std::cout << "Nothing is pending.\n";
        }
        return core::ExitCode::done;
    }

    history::MigrateOptions options;
    options.to = command.to;
    options.wait_for_run = command.wait;
    options.applied = [quiet](const history::MigrationStatus& migration) {
        if (!quiet) {
            print(migration);
        }
    };
    const core::SystemClock clock;
    options.taker = lock_taker("migrate", clock.now());
    try {
        history::migrate(url, migrations, options, [&clock] { return clock.now(); });
    } catch (const std::invalid_argument& error) {
        throw CommandError{core::ExitCode::usage, fmt::format("--to: {}", error.what())};
    }
    if (!quiet) {
        const bool is_newest = !command.to || *command.to == migrations.back().version;
        std::cout << (is_newest ? std::string{"The schema is up to date.\n"}
                                : fmt::format("The schema is at version {}, not up to date.\n", *command.to));
    }
    return core::ExitCode::done;
}

}  // namespace heiasync::commands
