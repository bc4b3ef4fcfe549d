#pragma once

#include "history/database.hpp"

#include <cstdint>

// Internal to this room: what those who LISTEN on the channel `heiasync` hear (docs/consuming.md). Each event is part
// of the transaction that it tells of. The greatest is far from the 8000 bytes at which the server refuses one.

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
// A consumer that sleeps in a transaction keeps every event of the server in its queue. Once that is full, commits that
// notify fail: long before, the history goes on without its signals.
#define QUEUE_HAS_ROOM "pg_notification_queue_usage() < 0.5"
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace heiasync::history {

/// Tells of the end of a run that is closed.
void notify_run_finished(Transaction& transaction, std::int64_t sync_run_id);

/// Where this run is the first on its timeline: tells what the new server has of the tasks that were committed on the
/// old one.
void notify_timeline_changed(Transaction& transaction, std::int64_t sync_run_id);

}  // namespace heiasync::history
