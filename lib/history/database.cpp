#include "history/database.hpp"

#include "history/session.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace heiasync::history {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct Database::Thread {
    static constexpr Session::Limits limits{.statement = 60s, .lock = 10s};

    Thread(asio::any_io_executor caller, std::string database_url, DatabaseObserver database_observer)
        : executor{std::move(caller)}, url{std::move(database_url)}, observer{std::move(database_observer)} {}

    struct Result {
        std::exception_ptr failure;
        std::optional<TransactionOutcome> outcome;
    };

    /// On the thread.
    Result run(const std::function<void(Transaction&)>& body) noexcept {
        Result result;
        try {
            if (!session) {
                session = std::make_unique<Session>(url, limits);
            }
            result.outcome = TransactionOutcome::rolled_back;
            session->transact(body);
            result.outcome = TransactionOutcome::committed;
        } catch (const DatabaseError& error) {
            if (error.kind() == DatabaseError::Kind::in_doubt) {
                result.outcome = TransactionOutcome::unknown;
            }
            result.failure = std::current_exception();
        } catch (...) {
            result.failure = std::current_exception();
        }
        if (session && !session->usable()) {
            session.reset();
        }
        return result;
    }

    asio::any_io_executor executor;
    std::string url;
    DatabaseObserver observer;
    std::unique_ptr<Session> session;  ///< of the thread alone
    asio::thread_pool pool{1};
};

Database::Database(asio::any_io_executor executor, std::string url, DatabaseObserver observer)
    : thread_{std::make_unique<Thread>(std::move(executor), std::move(url), std::move(observer))} {}

Database::~Database() {
    thread_->pool.join();
}

asio::awaitable<void> Database::execute(std::function<void(Transaction&)> body) {
    // The job refers to the caller's frame, which the handler keeps alive: so no cancellation reaches it, and whoever
    // cancels waits for the job in hand.
    const auto initiate = [](auto handler, Thread* thread, std::function<void(Transaction&)> job) {
        auto caller = asio::get_associated_executor(handler, thread->executor);
        auto work = asio::make_work_guard(caller);
        if (thread->observer.began) {
            thread->observer.began();
        }
        asio::post(thread->pool,
                   [thread, job = std::move(job), handler = std::move(handler), work = std::move(work)]() mutable {
                       auto result = thread->run(job);
                       auto executor = work.get_executor();
                       asio::post(executor, [handler = std::move(handler), result = std::move(result),
                                             ended = thread->observer.ended]() mutable {
                           if (ended) {
                               ended(result.outcome);
                           }
                           std::move(handler)(std::move(result.failure));
                       });
                   });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
        initiate, asio::use_awaitable, thread_.get(), std::move(body));
}

}  // namespace heiasync::history
