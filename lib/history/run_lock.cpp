#include "history/run_lock.hpp"

#include "history/error.hpp"
#include "history/session.hpp"
#include "history/transaction.hpp"

#include <fmt/format.h>

namespace heiasync::history {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
#define RUN_LOCK "1214605665, 2"
#define HELD_RUN_LOCK                                                                                                  \
    "(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid) = (" RUN_LOCK                          \
    ") AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) " \
    "AS held"
// The timeline is read from the name of the log file that is written now: it is right from the first moment after a
// failover, unlike that of the last checkpoint.
#define THIS_SERVER \
    "(SELECT system_identifier FROM pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
// NOLINTEND(cppcoreguidelines-macro-usage)

// Beside a heartbeat of 2 s: what a holder that was stopped or cut off may cost those who wait.
constexpr Statement try_lock{"take the run lock", "SELECT pg_try_advisory_lock(" RUN_LOCK
                                                  "), "
                                                  "       set_config('idle_session_timeout', '8s', false)"};
constexpr Statement try_lock_for_a_moment{"take the run lock for a moment",
                                          "SELECT pg_try_advisory_xact_lock(" RUN_LOCK ")"};
// All, because a session that has taken it twice has it twice.
constexpr Statement unlock{"release the run lock",
                           "SELECT pg_advisory_unlock_all(), set_config('idle_session_timeout', '0', false)"};
constexpr Statement raise_epoch{
    "raise the epoch of the run lock",
    "UPDATE heiasync.run_lock SET epoch = epoch + 1, holder = gen_random_uuid(), host = $1, process_id = $2, "
    "backend_id = pg_backend_pid(), purpose = $3, taken_at = $4 "
    "RETURNING epoch, holder, " THIS_SERVER};
// Of the row locks only this one keeps the epoch from being raised before the transaction has ended.
constexpr Statement confirm_epoch{"make sure of the run lock",
                                  "SELECT $3 = " THIS_SERVER
                                  ", epoch = $1 AND holder = $2::uuid FROM heiasync.run_lock FOR SHARE"};
constexpr Statement move_to_session{"note the session of the run lock",
                                    "UPDATE heiasync.run_lock SET backend_id = pg_backend_pid()"};
// The role's own sessions are those that it may end.
constexpr Statement select_holder_in_copy{
    "look at the holder of the run lock",
    "SELECT pid, activity.backend_start::text, progress.bytes_processed "
    "FROM " HELD_RUN_LOCK
    " JOIN pg_stat_activity AS activity USING (pid) "
    "JOIN pg_stat_progress_copy AS progress USING (pid) "
    "WHERE activity.wait_event = 'ClientRead' AND activity.usename = current_user"};
constexpr Statement ask_for_epoch{"look for the epoch of the run lock",
                                  "SELECT to_regclass('heiasync.run_lock') IS NOT NULL"};
constexpr Statement ask_for_holder{"look whether somebody holds the run lock",
                                   "SELECT EXISTS (SELECT FROM " HELD_RUN_LOCK ")"};
constexpr Statement end_session{"end the session of a holder that stands still", "SELECT pg_terminate_backend($1)"};
constexpr std::chrono::seconds longest_silence{8};
constexpr Statement select_holder{
    "read who has the run lock",
    "SELECT held.pid, run_lock.host, run_lock.process_id, run_lock.purpose, "
    "       (extract(epoch FROM run_lock.taken_at) * 1000000)::bigint, running.sync_run_id, running.trigger, "
    "       (SELECT count(DISTINCT organisation_id) FROM heiasync.sync_tasks AS task "
    "        WHERE task.sync_run_id = running.sync_run_id AND organisation_id <> 0), "
    "       (SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL) "
    "FROM " HELD_RUN_LOCK
    " LEFT JOIN heiasync.run_lock ON run_lock.backend_id = held.pid "
    "LEFT JOIN heiasync.sync_runs AS running ON running.status = 'running' AND run_lock.purpose = 'run' "
    "ORDER BY running.sync_run_id DESC LIMIT 1"};

RunLock raise(Transaction& transaction, const LockTaker& taker) {
    const auto row = transaction.run(raise_epoch, taker.host, taker.process_id, taker.purpose, taker.taken_at)[0];
    return {row[0].as<std::int64_t>(), row[1].as<std::string>(), row[2].as<std::string>()};
}

}  // namespace

std::optional<RunLock> take_run_lock(Transaction& transaction, const LockTaker& taker) {
    if (!transaction.run(try_lock)[0][0].as<bool>()) {
        return std::nullopt;
    }
    return raise(transaction, taker);
}

void release_run_lock(Transaction& transaction) {
    transaction.run(unlock);
}

bool take_run_lock_for_a_moment(Transaction& transaction, const LockTaker& taker) {
    if (!transaction.run(try_lock_for_a_moment)[0][0].as<bool>()) {
        return false;
    }
    raise(transaction, taker);
    return true;
}

bool take_run_lock_to_migrate(Transaction& transaction) {
    return transaction.run(try_lock)[0][0].as<bool>();
}

void raise_epoch_to_migrate(Transaction& transaction, const LockTaker& taker) {
    if (transaction.run(ask_for_epoch)[0][0].as<bool>()) {
        raise(transaction, taker);
    }
}

bool is_run_lock_held(Transaction& transaction) {
    return transaction.run(ask_for_holder)[0][0].as<bool>();
}

void confirm_run_lock(Transaction& transaction, const RunLock& lock, bool again) {
    const auto rows = transaction.run(confirm_epoch, lock.epoch, lock.holder, lock.server);
    if (!rows[0][0].as<bool>()) {
        throw DatabaseError{DatabaseError::Kind::replaced,
                            "the server was replaced by another one, which may lack what was stored last", ""};
    }
    if (!rows[0][1].as<bool>()) {
        throw DatabaseError{DatabaseError::Kind::fenced, "the run lock was lost: another process has taken it since",
                            ""};
    }
    if (!again) {
        return;
    }
    if (!transaction.run(try_lock)[0][0].as<bool>()) {
        throw DatabaseError{DatabaseError::Kind::away, "the server has not let go of the lost session yet", ""};
    }
    transaction.run(move_to_session);
}

bool end_stuck_holder(Transaction& transaction, std::optional<HolderInCopy>& seen,
                      std::chrono::steady_clock::time_point now) {
    const auto rows = transaction.run(select_holder_in_copy);
    if (rows.empty()) {
        seen.reset();
        return false;
    }
    HolderInCopy holder{rows[0][0].as<std::int64_t>(), rows[0][1].as<std::string>(), rows[0][2].as<std::int64_t>(),
                        now};
    if (seen) {
        holder.since = seen->since;
    }
    if (holder != seen) {
        holder.since = now;
        seen = holder;
        return false;
    }
    if (now - holder.since < longest_silence) {
        return false;
    }
    seen.reset();
    transaction.run(end_session, holder.backend_id);
    return true;
}

std::string describe_lock_holder(Transaction& transaction) {
    if (!transaction.run(ask_for_epoch)[0][0].as<bool>()) {
        return "of an earlier version";
    }
    const auto rows = transaction.run(select_holder);
    if (rows.empty()) {
        return {};
    }
    const auto row = rows[0];
    if (row[1].is_null()) {
        return fmt::format("a session with the server's process id {}", row[0].as<std::int64_t>());
    }
    const std::string where = fmt::format("process {} on host {}, since {}", row[2].as<std::int64_t>(),
                                          row[1].as<std::string>(), core::format_instant(instant_of(row[4])));
    if (row[5].is_null()) {
        return fmt::format("{}, by {}", row[3].as<std::string>(), where);
    }
    return fmt::format("run {} ({}), by {}: {} of {} organisations done", row[5].as<std::int64_t>(),
                       row[6].as<std::string>(), where, row[7].as<std::int64_t>(), row[8].as<std::int64_t>());
}

}  // namespace heiasync::history
