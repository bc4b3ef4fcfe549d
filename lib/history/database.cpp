#include "history/database.hpp"

#include "history/run_lock.hpp"
#include "history/session.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <utility>

namespace heiasync::history {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct Database::Thread : std::enable_shared_from_this<Thread> {
    static constexpr std::chrono::seconds heartbeat{2};
    static constexpr std::chrono::seconds lately{5};
    static constexpr std::chrono::seconds longest_silence{30};

    Thread(asio::any_io_executor caller, std::string database_url, DatabaseObserver database_observer, Access access)
        : executor{std::move(caller)},
          limits{.statement = 60s, .lock = 10s, .access = access},
          url{std::move(database_url)},
          observer{std::move(database_observer)},
          next_beat{executor} {}

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
                session_has_lock = false;
            }
            result.outcome = TransactionOutcome::rolled_back;
            session->transact([this, &body](Transaction& transaction) {
                if (run_lock) {
                    confirm_run_lock(transaction, *run_lock, !session_has_lock);
                }
                body(transaction);
            });
            session_has_lock = run_lock.has_value();
            result.outcome = TransactionOutcome::committed;
            last_commit = since_boot();
        } catch (const DatabaseError& error) {
            if (error.kind() == DatabaseError::Kind::in_doubt) {
                result.outcome = TransactionOutcome::unknown;
            } else if (error.kind() == DatabaseError::Kind::fenced) {
                result.outcome = TransactionOutcome::fenced;
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

    /// On the thread.
    void release_run_lock() noexcept {
        run_lock.reset();
        try {
            if (session) {
                session->transact([](Transaction& transaction) { history::release_run_lock(transaction); });
            }
        } catch (...) {
            session.reset();
        }
    }

    /// On the loop.
    void beat() {
        next_beat.expires_after(heartbeat);
        next_beat.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            const auto self = weak.lock();
            if (error || !self || !self->beating) {
                return;
            }
            if (self->beat_is_queued.exchange(true)) {
                if (++self->beats_in_vain == longest_silence / heartbeat && self->observer.silent) {
                    self->observer.silent();
                }
            } else {
                self->beats_in_vain = 0;
                asio::post(self->pool, [thread = self.get()] {
                    // What goes wrong is found by the next job. A lost session is replaced, so that the lock is not
                    // free for as long as the next answer takes.
                    if (thread->run_lock) {
                        thread->run([](Transaction&) {});
                    }
                    thread->beat_is_queued = false;
                });
            }
            self->beat();
        });
    }

    /// No clock of the standard library goes on while the machine is suspended.
    static std::chrono::nanoseconds since_boot() {
        timespec now{};
        ::clock_gettime(CLOCK_BOOTTIME, &now);
        return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
    }

    asio::any_io_executor executor;
    Session::Limits limits;
    std::string url;
    DatabaseObserver observer;
    asio::steady_timer next_beat;
    int beats_in_vain = 0;
    bool beating = false;  ///< of the loop: a timer that is cancelled may have expired already
    std::atomic<bool> beat_is_queued = false;
    std::atomic<std::chrono::nanoseconds> last_commit = std::chrono::nanoseconds::min();
    // Of the pool's thread:
    std::unique_ptr<Session> session;
    std::optional<RunLock> run_lock;
    bool session_has_lock = false;
    asio::thread_pool pool{1};
};

Database::Database(asio::any_io_executor executor, std::string url, DatabaseObserver observer, Access access)
    : thread_{std::make_shared<Thread>(std::move(executor), std::move(url), std::move(observer), access)} {}

Database::~Database() {
    thread_->pool.join();
}

void Database::set_run_lock(RunLock lock) {
    asio::post(thread_->pool, [thread = thread_.get(), lock = std::move(lock)]() mutable {
        thread->run_lock = std::move(lock);
        thread->session_has_lock = true;
    });
    thread_->beating = true;
    thread_->beat();
}

void Database::release_run_lock() {
    thread_->beating = false;
    thread_->next_beat.cancel();
    asio::post(thread_->pool, [thread = thread_.get()] { thread->release_run_lock(); });
}

bool Database::has_answered_lately() const {
    return Thread::since_boot() < thread_->last_commit.load() + Thread::lately;
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
