#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace heiasync::http {

/// Runs `work` and gives it until `deadline`, in real time. True: it ended by itself; what it throws is thrown at once.
/// False: the deadline came first and the work was cancelled. Cancelling the caller cancels the work and ends with
/// operation_aborted. Returns only once the work has ended, so it must end promptly when it is cancelled.
///
/// The only place that uses operator||: that waits for the first success, and would hold back an exception of the work
/// until the deadline.
boost::asio::awaitable<bool> within(std::chrono::steady_clock::time_point deadline, boost::asio::awaitable<void> work);

/// Calls a function once at a deadline, in real time, unless it is gone before: for what can be ended by a call, in a
/// sixth of the time that within() takes. Used by one thread at a time, that which runs the executor.
class Alarm {
public:
    Alarm(const boost::asio::any_io_executor& executor, std::chrono::steady_clock::time_point deadline,
          std::function<void()> ring);

    [[nodiscard]] bool rang() const { return state_->rang; }

private:
    struct State {
        std::function<void()> ring;
        bool rang = false;
    };

    std::shared_ptr<State> state_;  ///< what was about to happen when the alarm went away finds nothing here
    boost::asio::steady_timer timer_;
};

}  // namespace heiasync::http
