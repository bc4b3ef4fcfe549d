#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace heiasync::testing {

/// Runs a coroutine on a loop until the loop has nothing left to do. Throws what it threw, and std::logic_error where
/// the loop ran dry before it ended.
template <class Result>
Result run(boost::asio::io_context& loop, boost::asio::awaitable<Result> work) {
    std::optional<Result> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop, std::move(work), [&result, &failure](std::exception_ptr thrown, Result value) {
        failure = thrown;
        result.emplace(std::move(value));
    });
    loop.restart();
    loop.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!result) {
        throw std::logic_error{"the loop ran dry"};
    }
    return std::move(*result);
}

inline void run(boost::asio::io_context& loop, boost::asio::awaitable<void> work) {
    bool ended = false;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop, std::move(work), [&ended, &failure](std::exception_ptr thrown) {
        failure = thrown;
        ended = true;
    });
    loop.restart();
    loop.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!ended) {
        throw std::logic_error{"the loop ran dry"};
    }
}

}  // namespace heiasync::testing
