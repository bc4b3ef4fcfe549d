#pragma once

#include "core/exit_code.hpp"
#include "stop_limit.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace heiasync {

/// Awaits a coroutine on the loop until it ends; SIGINT, SIGTERM and SIGHUP cancel it, within StopLimit::patience. A
/// second signal finds its default again, and ends the process at once.
template <class Result>
class Foreground {
public:
    /// `again` is the command that goes on with what was stopped.
    explicit Foreground(boost::asio::io_context& loop, std::string again = "heiasyncd sync")
        : again_{std::move(again)}, loop_{loop}, signals_{loop, SIGINT, SIGTERM, SIGHUP} {}

    /// Runs the loop until the coroutine has ended. Rethrows what it threw.
    Result await(boost::asio::awaitable<Result> work) {
        std::optional<Result> result;
        std::exception_ptr failure;
        wait_for_signal();
        boost::asio::co_spawn(loop_, std::move(work),
                              boost::asio::bind_cancellation_slot(
                                  stop_.slot(), [this, &result, &failure](std::exception_ptr thrown, Result value) {
                                      failure = thrown;
                                      result.emplace(std::move(value));
                                      signals_.cancel();
                                  }));
        loop_.run();
        if (failure) {
            std::rethrow_exception(failure);
        }
        return std::move(result.value());
    }

    /// The signal that stopped it, if one did.
    [[nodiscard]] std::optional<int> signal() const { return signal_; }

private:
    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) {
                return;
            }
            signal_ = number;
            boost::system::error_code ignored;
            signals_.clear(ignored);
            const auto code = number == SIGINT ? core::ExitCode::interrupted : core::ExitCode::terminated;
            limit_.start(static_cast<int>(code), [this] {
                std::cerr << "heiasyncd: stopped, although something still hangs; `" + again_ + "` goes on\n";
            });
            stop_.emit(boost::asio::cancellation_type::terminal);
        });
    }

    std::string again_;
    StopLimit limit_;
    boost::asio::io_context& loop_;
    boost::asio::signal_set signals_;
    boost::asio::cancellation_signal stop_;
    std::optional<int> signal_;
};

}  // namespace heiasync
