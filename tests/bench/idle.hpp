#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace heiasync::bench {

/// What a daemon takes that has nothing to do.
struct Idle {
    std::chrono::duration<double> until_ready{0};  ///< from its start
    double resident = 0;                           ///< bytes, after a run
    double own = 0;                                ///< bytes of that which are of no file
    double wake_ups_a_minute = 0;                  ///< of all its threads
    double sessions = 0;                           ///< of the database
};

/// Starts a daemon that is a second away from its slot, lets it run and, once `watched` has passed, looks at it for
/// as long again; then ends it. `sessions` counts those of its database. Throws std::runtime_error where it ends by
/// itself or says nothing.
Idle watch_idle(std::vector<std::string> command, std::chrono::seconds watched,
                const std::function<double()>& sessions);

}  // namespace heiasync::bench
