#pragma once

#include "core/instant.hpp"
#include "history/run_lock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {

/// A migration that is built into the program: one file `migrations/NNNN_name.sql`.
struct Migration {
    int version = 0;
    std::string_view name;
    std::string_view sql;
};

/// All of them, in the order of their versions, which count up from 1 without a hole.
std::span<const Migration> embedded_migrations();

/// Lower-case hexadecimal SHA-256 of the SQL text.
std::string checksum(const Migration& migration);

struct MigrationStatus {
    enum class State { applied, pending, changed, unknown };

    int version = 0;
    std::string name;
    State state = State::pending;
    std::optional<core::Instant> applied_at;
};

struct SchemaStatus {
    enum class State {
        current,
        pending,  ///< migrations wait to be applied
        newer,    ///< the database has migrations that this program does not know
        changed   ///< an applied migration is not the one that this program carries
    };

    State state = State::pending;
    std::vector<MigrationStatus> migrations;  ///< by version
};

struct MigrateOptions {
    std::optional<int> to;                                ///< forward only; unset: the newest
    bool wait = true;                                     ///< for another migrate that is going on
    bool wait_for_run = false;                            ///< that is going on
    LockTaker taker;                                      ///< this process
    std::function<void(const MigrationStatus&)> applied;  ///< called after each commit; may be empty
};

/// What the schema of the database is. Throws DatabaseError of kind `settings`, with a sentence that says what to do,
/// where the encoding of the database is not UTF8.
SchemaStatus schema_status(Transaction& transaction, std::span<const Migration> migrations);
/// The same in a session of its own. Blocks. Throws DatabaseError.
SchemaStatus schema_status(const std::string& url, std::span<const Migration> migrations,
                           Access access = Access::write);

/// Throws DatabaseError of kind `schema`, with a sentence that says what to do, where the schema is newer or changed.
void require_ours(const SchemaStatus& status);

/// Applies what is pending, each migration in a transaction of its own, under a lock so that two starters do not
/// collide. Blocks. Throws DatabaseError: what schema_status() and require_ours() throw; busy where another migrate or
/// a run is going on and is not to be waited for; with SQLSTATE 55P03 where a reader held a lock for minutes. Throws
/// std::invalid_argument where `to` is no version, or lies behind what is applied. Returns the versions applied.
std::vector<int> migrate(const std::string& url, std::span<const Migration> migrations, const MigrateOptions& options,
                         const std::function<core::Instant()>& now);

}  // namespace heiasync::history
