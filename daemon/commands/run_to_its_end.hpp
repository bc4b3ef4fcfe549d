#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <utility>

namespace heiasync::commands {

/// For a command that does one thing after the other: runs the loop until the work is done, and gives what came of it.
template <class Result>
Result run_to_its_end(boost::asio::io_context& loop, boost::asio::awaitable<Result> work) {
    auto future = boost::asio::co_spawn(loop, std::move(work), boost::asio::use_future);
    loop.restart();
    loop.run();
    return future.get();
}

}  // namespace heiasync::commands
