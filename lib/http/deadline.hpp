#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace heiasync::http {

/// Runs `work` and gives it until `deadline`, in real time. True: it ended by itself; what it throws is thrown at once.
/// False: the deadline came first and the work was cancelled. Cancelling the caller cancels the work and ends with
/// operation_aborted. Returns only once the work has ended, so it must end promptly when it is cancelled.
///
/// The only place that uses operator||: that waits for the first success, and would hold back an exception of the work
/// until the deadline.
boost::asio::awaitable<bool> within(std::chrono::steady_clock::time_point deadline, boost::asio::awaitable<void> work);

}  // namespace heiasync::http
