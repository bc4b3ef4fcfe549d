#include "http/deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace heiasync::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<std::exception_ptr> outcome(asio::awaitable<void> work) {
    try {
        co_await std::move(work);
    } catch (...) {
        co_return std::current_exception();
    }
    co_return nullptr;
}

asio::awaitable<error_code> expiry(asio::steady_timer& timer) {
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return error;
}

}  // namespace

asio::awaitable<bool> within(std::chrono::steady_clock::time_point deadline, asio::awaitable<void> work) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer{co_await asio::this_coro::executor, deadline};
    const auto first = co_await (outcome(std::move(work)) || expiry(timer));
    if (first.index() == 0) {
        if (const auto& error = std::get<0>(first)) {
            std::rethrow_exception(error);
        }
        co_return true;
    }
    if (std::get<1>(first) == asio::error::operation_aborted) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
    co_return false;
}

Alarm::Alarm(const asio::any_io_executor& executor, std::chrono::steady_clock::time_point deadline,
             std::function<void()> ring)
    : state_{std::make_shared<State>(State{std::move(ring)})}, timer_{executor, deadline} {
    timer_.async_wait([weak = std::weak_ptr{state_}](const error_code& error) {
        if (const auto state = weak.lock(); state && !error) {
            state->rang = true;
            state->ring();
        }
    });
}

}  // namespace heiasync::http
