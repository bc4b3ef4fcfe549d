#pragma once

#include "service/check_in.hpp"
#include "service/condition.hpp"
#include "supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace spdlog {
class logger;
}

namespace heiasync {

/// Tells the supervisor, as often as it wants to hear, that every part of the daemon turns, and nothing where one
/// stands still: then systemd ends the daemon and starts it anew. It beats on the loop, and stops with it.
class Heartbeat {
public:
    /// `summary` is the line that says what the daemon does, told anew with each beat: it tells how long something
    /// lasts. All but the executor must outlive it.
    Heartbeat(const boost::asio::any_io_executor& executor, Supervisor& supervisor, const service::CheckIns& check_ins,
              spdlog::logger& log, std::function<std::string()> summary);

    /// Beats at once, and from then on.
    void start() { beat(); }
    /// Lets the loop end.
    void stop() { timer_.cancel(); }

private:
    void beat();

    Supervisor& supervisor_;
    const service::CheckIns& check_ins_;
    spdlog::logger& log_;
    std::function<std::string()> summary_;
    service::Condition standing_still_{"every part of the daemon turns again"};
    boost::asio::steady_timer timer_;
};

}  // namespace heiasync
