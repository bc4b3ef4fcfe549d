#include "service/condition.hpp"

#include <spdlog/logger.h>

#include <cstddef>

namespace heiasync::service {

namespace {

/// An outage is no reason to fill a disk.
constexpr std::size_t most_reasons = 5;

}  // namespace

void Condition::holds(spdlog::logger& log, const std::string& message) {
    ++attempts_;
    message_ = message;
    if (!since_) {
        since_ = std::chrono::steady_clock::now();
        told_.clear();
    }
    if (told_.size() < most_reasons && told_.insert(message).second) {
        log.warn(message);
    }
}

void Condition::has_ended(spdlog::logger& log) {
    if (!since_) {
        return;
    }
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - *since_;
    log.info("{}, after {:.0f} s and {} attempts", ended_, lasted.count(), attempts_);
    since_.reset();
    message_.clear();
    attempts_ = 0;
}

}  // namespace heiasync::service
