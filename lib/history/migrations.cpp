#include "history/migrations.hpp"

#include "history/run_lock.hpp"
#include "history/session.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

namespace heiasync::history {
namespace {

using Kind = DatabaseError::Kind;
using namespace std::chrono_literals;

// A reader that comes while DDL waits for a lock waits behind it, so that wait is short and repeated. Where reader and
// migration wait for each other, the migration gives way: the server ends whoever has waited for a second.
constexpr Session::Limits limits{.statement = 0ms, .lock = 500ms};
constexpr auto between_tries_for_a_lock = 200ms;
constexpr auto between_tries_of_a_migration = 1s;
constexpr int tries_of_a_migration = 120;

constexpr Statement ask_for_encoding{"ask for the encoding of the database", "SHOW server_encoding"};
constexpr Statement ask_for_table{"look for the schema",
                                  "SELECT to_regclass('heiasync.schema_migrations') IS NOT NULL"};
constexpr Statement read_applied{"read the applied migrations",
                                 "SELECT version, name, checksum, (extract(epoch FROM applied_at) * 1000000)::bigint "
                                 "FROM heiasync.schema_migrations ORDER BY version"};
constexpr Statement record_applied{
    "record a migration",
    "INSERT INTO heiasync.schema_migrations (version, name, checksum, applied_at, duration_ms) "
    "VALUES ($1, $2, $3, $4, $5)"};
// 1214605665 is 'Heia'; under it 1 is the lock of a migration.
constexpr Statement try_lock{"take the migration lock", "SELECT pg_try_advisory_lock(1214605665, 1)"};
// Whoever migrates of those that deploy/postgres/roles.sql has as owners, what there is belongs to the owner.
constexpr Statement become_owner{
    "migrate as heiasync_owner",
    "SELECT set_config('role', 'heiasync_owner', false) FROM pg_namespace AS schema "
    "WHERE nspname = 'heiasync' AND nspowner = to_regrole('heiasync_owner') AND current_user <> 'heiasync_owner' "
    "  AND pg_has_role(current_user, nspowner, 'MEMBER') "
    "  AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = schema.oid AND relowner <> nspowner)"};
constexpr Statement unlock{"release the migration lock", "SELECT pg_advisory_unlock(1214605665, 1)"};

struct Applied {
    std::string name;
    std::string checksum;
    core::Instant at;
};

/// Names and answers come in every script; another encoding refuses some of them, or keeps bytes that mean nothing.
void require_utf8(Transaction& transaction) {
    const auto encoding = transaction.run(ask_for_encoding)[0][0].as<std::string>();
    if (encoding != "UTF8") {
        throw DatabaseError{Kind::settings,
                            fmt::format("the encoding of the database is {}, where only UTF8 holds every text: make "
                                        "another one with `createdb --encoding UTF8 --locale C.UTF-8 --template "
                                        "template0 NAME`, and let database.url name it",
                                        encoding),
                            ""};
    }
}

std::map<int, Applied> applied_migrations(Transaction& transaction) {
    require_utf8(transaction);
    std::map<int, Applied> applied;
    if (transaction.run(ask_for_table)[0][0].as<bool>()) {
        for (const auto& row : transaction.run(read_applied)) {
            applied.emplace(row[0].as<int>(),
                            Applied{row[1].as<std::string>(), row[2].as<std::string>(), instant_of(row[3])});
        }
    }
    return applied;
}

SchemaStatus compare(const std::map<int, Applied>& applied, std::span<const Migration> migrations) {
    using State = MigrationStatus::State;
    std::map<int, MigrationStatus> by_version;
    for (const auto& [version, row] : applied) {
        by_version[version] = {version, row.name, State::unknown, row.at};
    }
    for (const Migration& migration : migrations) {
        MigrationStatus& status = by_version[migration.version];
        const bool is_applied = status.applied_at.has_value();
        status.version = migration.version;
        status.name = migration.name;
        status.state = !is_applied                                                     ? State::pending
                       : applied.at(migration.version).checksum == checksum(migration) ? State::applied
                                                                                       : State::changed;
    }

    SchemaStatus result;
    for (auto& [version, status] : by_version) {
        result.migrations.push_back(std::move(status));
    }
    const auto any = [&result](State state) {
        return std::any_of(result.migrations.begin(), result.migrations.end(),
                           [state](const MigrationStatus& status) { return status.state == state; });
    };
    result.state = any(State::unknown)   ? SchemaStatus::State::newer
                   : any(State::changed) ? SchemaStatus::State::changed
                   : any(State::pending) ? SchemaStatus::State::pending
                                         : SchemaStatus::State::current;
    return result;
}

SchemaStatus schema_status(Session& session, std::span<const Migration> migrations) {
    SchemaStatus status;
    session.transact([&](Transaction& transaction) { status = history::schema_status(transaction, migrations); });
    return status;
}

std::string versions(const SchemaStatus& status, MigrationStatus::State state) {
    std::string list;
    for (const MigrationStatus& migration : status.migrations) {
        if (migration.state == state) {
            list += fmt::format("{}{:04}_{}", list.empty() ? "" : ", ", migration.version, migration.name);
        }
    }
    return list;
}

/// The newest version to apply. Throws where it lies behind what is applied, or beyond what there is.
int target_of(const MigrateOptions& options, const SchemaStatus& status, std::span<const Migration> migrations) {
    const int newest = migrations.empty() ? 0 : migrations.back().version;
    const int target = options.to.value_or(newest);
    if (target < 1 || target > newest) {
        throw std::invalid_argument{fmt::format("there is no migration {}: the versions are 1 to {}", target, newest)};
    }
    int applied = 0;
    for (const MigrationStatus& migration : status.migrations) {
        applied = std::max(applied, migration.applied_at ? migration.version : 0);
    }
    if (applied > target) {
        throw std::invalid_argument{
            fmt::format("the database is at version {} already and migrations only go forward: to go back to {}, "
                        "restore a backup",
                        applied, target)};
    }
    return target;
}

bool take_migration_lock(Transaction& transaction) {
    return transaction.run(try_lock)[0][0].as<bool>();
}

bool in_transaction(Session& session, bool (*take)(Transaction&)) {
    bool taken = false;
    session.transact([&](Transaction& transaction) { taken = take(transaction); });
    return taken;
}

std::string holder_of_run_lock(Session& session) {
    std::string holder;
    session.transact([&holder](Transaction& transaction) { holder = describe_lock_holder(transaction); });
    return holder.empty() ? "it has just ended" : holder;
}

// Tried, not waited for: a session that waits for an advisory lock blocks CREATE INDEX CONCURRENTLY. Who waits for a
// run, for hours perhaps, keeps nobody waiting meanwhile.
void take_locks(Session& session, const MigrateOptions& options) {
    std::optional<HolderInCopy> stuck;
    for (;; std::this_thread::sleep_for(between_tries_for_a_lock)) {
        if (!in_transaction(session, take_migration_lock)) {
            if (!options.wait) {
                throw DatabaseError{Kind::busy,
                                    "another migration of this database is going on: try again when it is done", ""};
            }
            continue;
        }
        if (in_transaction(session, take_run_lock_to_migrate)) {
            return;
        }
        if (!options.wait_for_run) {
            throw DatabaseError{Kind::busy,
                                fmt::format("a run is going on ({}): migrate when it has ended, or wait for it with "
                                            "`heiasyncd migrate --wait`",
                                            holder_of_run_lock(session)),
                                ""};
        }
        session.transact([&stuck](Transaction& transaction) {
            transaction.run(unlock);
            end_stuck_holder(transaction, stuck, std::chrono::steady_clock::now());
        });
    }
}

core::Instant apply(Session& session, const Migration& migration, const std::function<core::Instant()>& now) {
    const std::string purpose = fmt::format("apply migration {:04}_{}", migration.version, migration.name);
    const core::Instant at = now();
    session.transact([&](Transaction& transaction) {
        const auto began = std::chrono::steady_clock::now();
        transaction.execute(purpose.c_str(), migration.sql);
        const auto took = std::chrono::steady_clock::now() - began;
        transaction.run(record_applied, migration.version, migration.name, checksum(migration), at,
                        std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    });
    return at;
}

/// Tries again where a reader held a lock for too long.
core::Instant apply_patiently(Session& session, const Migration& migration, const std::function<core::Instant()>& now) {
    for (int tries = 1;; ++tries) {
        try {
            return apply(session, migration, now);
        } catch (const DatabaseError& error) {
            if (error.sqlstate() != "55P03" || tries == tries_of_a_migration) {
                throw;
            }
        }
        std::this_thread::sleep_for(between_tries_of_a_migration);
    }
}

}  // namespace

std::string checksum(const Migration& migration) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes are unsigned.
    SHA256(reinterpret_cast<const unsigned char*>(migration.sql.data()), migration.sql.size(), digest.data());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

SchemaStatus schema_status(Transaction& transaction, std::span<const Migration> migrations) {
    return compare(applied_migrations(transaction), migrations);
}

SchemaStatus schema_status(const std::string& url, std::span<const Migration> migrations, Access access) {
    Session session{url, {.statement = 60s, .lock = limits.lock, .access = access}};
    return schema_status(session, migrations);
}

void require_ours(const SchemaStatus& status) {
    if (status.state == SchemaStatus::State::newer) {
        throw DatabaseError{Kind::schema,
                            fmt::format("the database is newer than this program: it has migrations that the program "
                                        "does not know ({}). Install the version of heiasyncd that applied them, or a "
                                        "later one.",
                                        versions(status, MigrationStatus::State::unknown)),
                            ""};
    }
    if (status.state == SchemaStatus::State::changed) {
        throw DatabaseError{Kind::schema,
                            fmt::format("the database was migrated with other files than those of this program ({}). "
                                        "A migration never changes once it is applied: install a released heiasyncd, "
                                        "or restore the files and build it again.",
                                        versions(status, MigrationStatus::State::changed)),
                            ""};
    }
}

std::vector<int> migrate(const std::string& url, std::span<const Migration> migrations, const MigrateOptions& options,
                         const std::function<core::Instant()>& now) {
    Session session{url, limits};
    session.transact([](Transaction& transaction) { transaction.run(become_owner); });
    take_locks(session, options);
    const SchemaStatus status = schema_status(session, migrations);
    require_ours(status);
    const int target = target_of(options, status, migrations);

    std::vector<int> applied;
    for (const MigrationStatus& pending : status.migrations) {
        if (pending.state != MigrationStatus::State::pending || pending.version > target) {
            continue;
        }
        const auto& migration = *std::find_if(migrations.begin(), migrations.end(),
                                              [&pending](const Migration& m) { return m.version == pending.version; });
        if (applied.empty()) {
            session.transact([&](Transaction& transaction) { raise_epoch_to_migrate(transaction, options.taker); });
        }
        const core::Instant at = apply_patiently(session, migration, now);
        applied.push_back(migration.version);
        if (options.applied) {
            options.applied({migration.version, std::string{migration.name}, MigrationStatus::State::applied, at});
        }
    }
    // Who runs next does not wait until the server has noticed that this session is gone.
    session.transact([](Transaction& transaction) {
        release_run_lock(transaction);
        transaction.run(unlock);
    });
    return applied;
}

}  // namespace heiasync::history
