#pragma once

#include "core/instant.hpp"
#include "history/database.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

/// One run at a time writes, wherever it was started. Who runs holds a session's advisory lock, two integers:
/// 1214605665
/// ('Heia') and 2. A session can be lost without its process noticing, so each taking also raises the epoch in
/// heiasync.run_lock, which every transaction of a run reads (Database::set_run_lock).
namespace heiasync::history {

/// The lock as it was taken. Another epoch, another holder, another server or another timeline: it is no longer had.
struct RunLock {
    std::int64_t epoch = 0;
    std::string holder;  ///< random
    std::string server;  ///< its system identifier and timeline
};

/// Who takes the lock, for those who find it taken.
struct LockTaker {
    std::string host;
    std::int64_t process_id = 0;
    std::string purpose;  ///< `run`, `migrate`, `rebuild`, `forget`, `close dead runs`
    core::Instant taken_at{};
};

/// Takes the lock for as long as the session lasts, or until it is released; a transaction that is rolled back keeps
/// it. A session that holds it and is not used for 8 s is ended by the server. Unset where somebody else has it.
std::optional<RunLock> take_run_lock(Transaction& transaction, const LockTaker& taker);

/// Lets go of whatever the session holds.
void release_run_lock(Transaction& transaction);

/// Takes it for this transaction alone. False where another one has it.
bool take_run_lock_for_a_moment(Transaction& transaction, const LockTaker& taker);

/// The same as take_run_lock() for a migration, which may find no epoch to raise yet. False where another one has it.
bool take_run_lock_to_migrate(Transaction& transaction);

/// Raises the epoch, where the schema has one already, for who has the lock: a run that lost its session for a moment
/// must not go on under another schema.
void raise_epoch_to_migrate(Transaction& transaction, const LockTaker& taker);

/// Whether somebody has it. Any reader may ask.
bool is_run_lock_held(Transaction& transaction);

/// Makes sure that the lock is still had; `again` where the session is another one than it was taken on. Throws
/// DatabaseError: fenced where somebody else has had it since; replaced where the server is another one than it was
/// taken on; away where the lost session still has it.
void confirm_run_lock(Transaction& transaction, const RunLock& lock, bool again);

/// A holder that the server waits for in the middle of a COPY, as it was first seen there.
struct HolderInCopy {
    std::int64_t backend_id = 0;
    std::string backend_start;
    std::int64_t bytes = 0;  ///< of the COPY, so far
    std::chrono::steady_clock::time_point since{};

    friend bool operator==(const HolderInCopy&, const HolderInCopy&) = default;
};

/// Ends the session of a holder that stands still inside a COPY, which no time-out of the server reaches: one that has
/// sent nothing for 8 s, although a COPY of ours has all that it sends at hand. `seen` is what the look before found,
/// and becomes what this one finds. True where it was ended.
bool end_stuck_holder(Transaction& transaction, std::optional<HolderInCopy>& seen,
                      std::chrono::steady_clock::time_point now);

/// Who has the lock, in words: `run 12 (schedule) of process 411 on host db1, since 2026-06-15T01:30:00Z, 412 of 1034
/// organisations done`. Empty where nobody has it; `of an earlier version` where the schema does not tell yet.
std::string describe_lock_holder(Transaction& transaction);

}  // namespace heiasync::history
