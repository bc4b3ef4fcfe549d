#include "stop_limit.hpp"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <utility>

namespace heiasync {

void StopLimit::start(int exit_code, std::function<void()> tell) {
    if (thread_.joinable()) {
        return;
    }
    thread_ = std::jthread{[exit_code, tell = std::move(tell)](const std::stop_token& ended) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any condition;
        condition.wait_for(lock, ended, patience, [] { return false; });
        if (!ended.stop_requested()) {
            tell();
            std::_Exit(exit_code);
        }
    }};
}

}  // namespace heiasync
