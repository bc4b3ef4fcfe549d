#pragma once

#include "history/database.hpp"
#include "history/run_lock.hpp"

#include <boost/asio/awaitable.hpp>

namespace spdlog {
class logger;
}

namespace heiasync::commands {

/// Takes the run lock on the connection of `database`, where `require_right` throws nothing: for a command that is
/// named as `taker.purpose` and changes what is stored. Where somebody else has it, waits or throws CommandError (75).
/// False where it was cancelled meanwhile, which throws nothing. Throws as require_current_schema() does: whoever had
/// the lock may have migrated.
boost::asio::awaitable<bool> take_run_lock(history::Database& database, spdlog::logger& log, history::LockTaker taker,
                                           bool wait, void (*require_right)(history::Transaction&));

/// Whether the coroutine that awaits this was cancelled.
boost::asio::awaitable<bool> is_cancelled();

}  // namespace heiasync::commands
