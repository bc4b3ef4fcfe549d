#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace heiasync {

/// Ends the process where stopping takes too long: a name look-up, a connection attempt or a job of the database may
/// hang, and none of them can be cancelled.
class StopLimit {
public:
    static constexpr std::chrono::seconds patience{4};

    /// From now on the process has that long. Then `tell` is called, on a thread of its own, and the process ends with
    /// `exit_code`. Only the first call counts.
    void start(int exit_code, std::function<void()> tell);

private:
    std::jthread thread_;
};

}  // namespace heiasync
