#include "commands/exclusive.hpp"

#include "commands/schema.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds between_tries{2};

}  // namespace

asio::awaitable<bool> is_cancelled() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

asio::awaitable<bool> take_run_lock(history::Database& database, spdlog::logger& log, history::LockTaker taker,
                                    bool wait, void (*require_right)(history::Transaction&)) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    std::optional<history::HolderInCopy> stuck;
    for (bool told = false; !co_await is_cancelled(); told = true) {
        std::optional<history::RunLock> lock;
        std::string holder;
        auto job = [&](history::Transaction& transaction) {
            require_right(transaction);
            lock = history::take_run_lock(transaction, taker);
            if (lock) {
                require_current_schema(transaction);
            } else {
                holder = history::describe_lock_holder(transaction);
                if (wait) {
                    history::end_stuck_holder(transaction, stuck, std::chrono::steady_clock::now());
                }
            }
        };
        co_await database.transact(job);
        if (lock) {
            database.set_run_lock(*std::move(lock));
            co_return true;
        }
        if (!wait) {
            throw CommandError{core::ExitCode::busy,
                               fmt::format("another run is going on: {0}; {1} when it has ended, or wait for it with "
                                           "`heiasyncd {1} --wait`",
                                           holder, taker.purpose)};
        }
        if (!told) {
            log.info("waiting: another run is going on: {}", holder);
        }
        timer.expires_after(between_tries);
        static_cast<void>(co_await timer.async_wait(asio::as_tuple(asio::use_awaitable)));
    }
    co_return false;
}

}  // namespace heiasync::commands
