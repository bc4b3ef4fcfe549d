#pragma once

#include "history/database.hpp"
#include "history/sync_runs.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <vector>

namespace heiasync::sync {

/// What one task leaves in the history: its rows and its ledger entry, in one transaction.
struct Write {
    Write(history::TaskRecord task_record, std::function<void(history::Transaction&)> rows_job)
        : task{std::move(task_record)}, rows{std::move(rows_job)} {}

    history::TaskRecord task;                         ///< recorded after the rows
    std::function<void(history::Transaction&)> rows;  ///< may be empty
    bool document = false;                            ///< large: never waits beside another document
};

/// Stores answers while the next one is being fetched. Small answers that are ready while a commit is going on share
/// the next transaction; at most one document waits. An answer that cannot be decoded or that PostgreSQL refuses
/// becomes a failed task and takes nothing else with it. Any other failure of the database ends the writer: it is
/// thrown by the next call.
class Writer {
public:
    /// `written` hears of each task once it is committed, as it was recorded.
    Writer(boost::asio::any_io_executor executor, history::Database& database,
           std::function<void(const history::TaskRecord&)> written);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Takes the write over; waits only while too much is waiting already.
    boost::asio::awaitable<void> store(Write write);

    /// Waits until all is committed. Must be awaited before the writer goes.
    boost::asio::awaitable<void> drain();

private:
    boost::asio::awaitable<void> pump();
    boost::asio::awaitable<void> commit(std::vector<Write>& batch);
    boost::asio::awaitable<void> commit_alone(Write& write);
    boost::asio::awaitable<void> changed();
    [[nodiscard]] std::vector<Write> next_batch();
    [[nodiscard]] bool full_for(const Write& write) const;
    void start_pump();
    void rethrow_failure();

    boost::asio::any_io_executor executor_;
    history::Database& database_;
    std::function<void(const history::TaskRecord&)> written_;
    boost::asio::steady_timer change_;
    std::deque<Write> waiting_;
    bool pumping_ = false;
    std::exception_ptr failure_;
};

}  // namespace heiasync::sync
