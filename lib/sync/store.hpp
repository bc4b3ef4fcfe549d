#pragma once

#include "history/database.hpp"
#include "history/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace heiasync::sync {

/// The database of a run, which may be away for a while: a run that has the time waits, with back-off, and goes on.
class Store {
public:
    /// `may_wait` says whether an outage is still to be waited out. `on_outage` hears what each attempt failed of, and
    /// nothing once the database is back; may be empty.
    Store(const boost::asio::any_io_executor& executor, history::Database& database, std::function<bool()> may_wait,
          std::function<void(const std::optional<std::string>& why)> on_outage);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// history::Database::transact, as often as it takes while the database is away; for `at_least` so long, in real
    /// time, though it may not be waited. Throws DatabaseError: away where that did not suffice, in_doubt at once.
    template <class Job>
    auto transact(Job& job, std::chrono::steady_clock::duration at_least = {})
        -> boost::asio::awaitable<std::invoke_result_t<Job&, history::Transaction&>> {
        for (;;) {
            std::optional<history::DatabaseError> failure;
            try {
                if constexpr (std::is_void_v<std::invoke_result_t<Job&, history::Transaction&>>) {
                    co_await database_.transact(job);
                    has_come_back();
                    co_return;
                } else {
                    auto result = co_await database_.transact(job);
                    has_come_back();
                    co_return result;
                }
            } catch (const history::DatabaseError& error) {
                if (error.kind() != history::DatabaseError::Kind::away) {
                    throw;
                }
                failure.emplace(error);
            }
            co_await wait_out(*failure, at_least);
        }
    }

    /// The same for a job that may be done twice, as one that only reads: a commit in doubt is done again.
    template <class Job>
    auto transact_again(Job& job, std::chrono::steady_clock::duration at_least = {})
        -> boost::asio::awaitable<std::invoke_result_t<Job&, history::Transaction&>> {
        for (;;) {
            try {
                co_return co_await transact(job, at_least);
            } catch (const history::DatabaseError& error) {
                if (error.kind() != history::DatabaseError::Kind::in_doubt) {
                    throw;
                }
            }
        }
    }

    /// Returns once the database has committed a transaction in the last few seconds: what is asked for can be stored.
    boost::asio::awaitable<void> confirm();

    /// Nothing can be stored now.
    [[nodiscard]] bool is_away() const { return away_since_.has_value(); }

    /// From now on nothing is waited for.
    void give_up();

private:
    boost::asio::awaitable<void> wait_out(const history::DatabaseError& failure,
                                          std::chrono::steady_clock::duration at_least);
    void has_come_back();

    history::Database& database_;
    std::function<bool()> may_wait_;
    std::function<void(const std::optional<std::string>&)> on_outage_;
    boost::asio::steady_timer timer_;
    std::optional<std::chrono::steady_clock::time_point> away_since_;
    std::chrono::milliseconds next_pause_;
    bool given_up_ = false;
};

}  // namespace heiasync::sync
