#pragma once

#include "core/instant.hpp"
#include "history/sync_runs.hpp"

namespace heiasync::history {

/// Writes down what a run did for one organisation and stream, behind the rows that it brought, and tells who listens
/// of a document among them. `stored_at` is when this is stored.
void record_task(Transaction& transaction, const TaskRecord& task, core::Instant stored_at);

/// Whether the task is written down: for who does not know what became of the transaction that did it.
bool is_recorded(Transaction& transaction, const TaskRecord& task);

}  // namespace heiasync::history
