#pragma once

#include "core/clock.hpp"
#include "history/sync_runs.hpp"
#include "sync/plan.hpp"
#include "sync/store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <span>
#include <vector>

namespace heiasync::sync {

/// Adds a task that failed to the plan of the second pass.
using Again = std::function<void(OrganisationPlan&)>;

/// What one task leaves in the history: its rows and its ledger entry, in one transaction.
struct Write {
    Write(history::TaskRecord task_record, std::function<void(history::Transaction&)> rows_job)
        : task{std::move(task_record)}, rows{std::move(rows_job)} {}

    history::TaskRecord task;                         ///< recorded after the rows
    std::function<void(history::Transaction&)> rows;  ///< may be empty
    bool document = false;                            ///< large: there is one at most, waiting or being committed
    Again again;                                      ///< what to do where it cannot be stored; may be empty
};

/// Stores answers while the next one is being fetched. Small answers that are ready while a commit is going on share
/// the next transaction; there is at most one document. An answer that cannot be decoded or that PostgreSQL refuses
/// becomes a failed task and takes nothing else with it. Where a connection broke during a commit, the ledger tells
/// whether it happened, once the run lock is taken again. An outage that the store does not wait out, and any other
/// failure of the database, ends the writer: it is thrown by the next call.
class Writer {
public:
    /// `written` hears of each task once it is committed, as it was recorded. `postpone` is shown a write that could
    /// not be stored, its task as it would be recorded: true takes it over, false has it recorded.
    Writer(boost::asio::any_io_executor executor, const core::Clock& clock, Store& store,
           std::function<void(const history::TaskRecord&)> written, std::function<bool(const Write&)> postpone);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Takes the write over; waits only while too much is waiting already.
    boost::asio::awaitable<void> store(Write write);

    /// Waits while the database is away or silent: what cannot be stored is not to be asked for.
    boost::asio::awaitable<void> wait_out_outage();

    /// Waits until all is committed. Must be awaited before the writer goes.
    boost::asio::awaitable<void> drain();

private:
    boost::asio::awaitable<void> pump();
    boost::asio::awaitable<void> commit(std::vector<Write>& batch);
    boost::asio::awaitable<void> commit_alone(Write& write);
    boost::asio::awaitable<void> transact(std::span<const Write> writes);
    boost::asio::awaitable<bool> has_happened(const history::TaskRecord& task);
    boost::asio::awaitable<void> changed();
    [[nodiscard]] std::vector<Write> next_batch();
    [[nodiscard]] bool full_for(const Write& write) const;
    void start_pump();
    void rethrow_failure();

    boost::asio::any_io_executor executor_;
    const core::Clock& clock_;
    Store& store_;
    std::function<void(const history::TaskRecord&)> written_;
    std::function<bool(const Write&)> postpone_;
    boost::asio::steady_timer change_;
    std::deque<Write> waiting_;
    bool pumping_ = false;
    bool committing_document_ = false;
    std::exception_ptr failure_;
};

}  // namespace heiasync::sync
