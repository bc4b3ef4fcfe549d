#pragma once

#include "history/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace heiasync::history {

/// An open transaction on the database thread. What can be done in it are the functions of the aggregates.
class Transaction;

struct RunLock;

/// What a session is for. Who only reads is content with a server, or a role, that takes no writes, where there is no
/// other.
enum class Access { read, write };

/// What became of a transaction.
enum class TransactionOutcome {
    committed,
    rolled_back,
    fenced,  ///< refused, because another process has taken the run over
    unknown  ///< the connection broke while it was committed
};

/// Who is told, on the executor, of the jobs of a Database. Each may be empty.
struct DatabaseObserver {
    std::function<void()> began;
    /// Unset: there was no connection to begin a transaction on.
    std::function<void(std::optional<TransactionOutcome>)> ended;
    /// With the run lock: the database thread has not come back to its heartbeat for half a minute. Once, until it has.
    std::function<void()> silent;
};

/// One connection to PostgreSQL and the thread that owns it. Jobs run there one after the other; who awaits one resumes
/// on the executor that was given. Connects with the first job, and anew with the next one after a connection was lost.
class Database {
public:
    /// `url` is anything libpq takes. Nothing is connected yet. What `observer` refers to must outlive every job.
    Database(boost::asio::any_io_executor executor, std::string url, DatabaseObserver observer = {},
             Access access = Access::write);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    /// Waits for the job in hand.
    ~Database();

    /// Runs `job(Transaction&)` in one transaction on the database thread and commits what it did; where it throws,
    /// nothing is done and the exception arrives here. Throws DatabaseError. The job is an lvalue on purpose: g++ 12
    /// destroys a temporary in a co_await expression twice.
    template <class Job>
    auto transact(Job& job) -> boost::asio::awaitable<std::invoke_result_t<Job&, Transaction&>> {
        using Result = std::invoke_result_t<Job&, Transaction&>;
        if constexpr (std::is_void_v<Result>) {
            std::function<void(Transaction&)> body{std::ref(job)};
            co_await execute(std::move(body));
        } else {
            std::optional<Result> result;
            auto run = [&job, &result](Transaction& transaction) { result.emplace(job(transaction)); };
            std::function<void(Transaction&)> body{std::ref(run)};
            co_await execute(std::move(body));
            co_return std::move(*result);
        }
    }

    /// From now on every transaction first makes sure of the run lock, which this connection has just taken: it takes
    /// it again on another connection, and fails where somebody else has had it (DatabaseError::fenced). The connection
    /// is used every two seconds, so that a server that ends silent holders lets it be.
    void set_run_lock(RunLock lock);

    /// Lets go of the run lock, with the connection where that is the only way. To be called where nothing is awaited.
    void release_run_lock();

    /// Whether a transaction has been committed in the last five seconds, the time of a suspended machine included.
    /// With the run lock one is committed every two: else the server is silent, or this process stood still, and
    /// somebody else may have the lock.
    [[nodiscard]] bool has_answered_lately() const;

private:
    boost::asio::awaitable<void> execute(std::function<void(Transaction&)> body);

    struct Thread;
    std::shared_ptr<Thread> thread_;
};

}  // namespace heiasync::history
