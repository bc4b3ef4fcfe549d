#include "sync/store.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace heiasync::sync {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds shortest_pause{200};
constexpr std::chrono::milliseconds longest_pause{30'000};

}  // namespace

Store::Store(const asio::any_io_executor& executor, history::Database& database, std::function<bool()> may_wait,
             std::function<void(const std::optional<std::string>&)> on_outage)
    : database_{database},
      may_wait_{std::move(may_wait)},
      on_outage_{std::move(on_outage)},
      timer_{executor, steady_clock::time_point::min()},
      next_pause_{shortest_pause} {}

void Store::give_up() {
    given_up_ = true;
    timer_.cancel();
}

asio::awaitable<void> Store::confirm() {
    if (!database_.has_answered_lately()) {
        auto nothing = [](history::Transaction&) {};
        co_await transact_again(nothing);
    }
}

asio::awaitable<void> Store::wait_out(const history::DatabaseError& failure, steady_clock::duration at_least) {
    const auto now = steady_clock::now();
    const auto lasting = now - away_since_.value_or(now);
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    const bool is_cancelled = cancellation.cancelled() != asio::cancellation_type::none;
    if (given_up_ || is_cancelled || (lasting >= at_least && !may_wait_())) {
        throw history::DatabaseError{failure};
    }
    away_since_ = now - lasting;
    if (on_outage_) {
        on_outage_(failure.what());
    }
    // Whoever else waits, waits for the same moment.
    if (timer_.expiry() <= now) {
        timer_.expires_after(std::exchange(next_pause_, std::min(2 * next_pause_, longest_pause)));
    }
    static_cast<void>(co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)));
}

void Store::has_come_back() {
    next_pause_ = shortest_pause;
    if (std::exchange(away_since_, std::nullopt) && on_outage_) {
        on_outage_(std::nullopt);
    }
}

}  // namespace heiasync::sync
