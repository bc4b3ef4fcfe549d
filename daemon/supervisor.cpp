#include "supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace heiasync {

namespace {

using std::chrono::microseconds;

constexpr std::chrono::seconds passing_interval{1};

/// The daemon tells three times in the time that it is given.
constexpr int tellings = 3;
/// Of a start without a watchdog.
constexpr std::chrono::seconds patience{90};

}  // namespace

Supervisor::Supervisor() : listens_{std::getenv("NOTIFY_SOCKET") != nullptr} {
    std::uint64_t patience_of_watchdog = 0;
    if (::sd_watchdog_enabled(0, &patience_of_watchdog) > 0) {
        watchdog_ = microseconds{patience_of_watchdog};
    }
}

void Supervisor::ready() {
    started_ = true;
    if (!std::exchange(ready_, true)) {
        send("READY=1");
    }
}

void Supervisor::reloading() {
    ready_ = false;
    // The steady clock of libstdc++ is CLOCK_MONOTONIC.
    const auto now = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void Supervisor::stopping() {
    send("STOPPING=1");
}

std::optional<microseconds> Supervisor::wants_to_hear_within() const {
    if (!listens_ || (started_ && !watchdog_)) {
        return std::nullopt;
    }
    return watchdog_.value_or(patience) / tellings;
}

void Supervisor::well() {
    if (!started_) {
        send(fmt::format("EXTEND_TIMEOUT_USEC={}", watchdog_.value_or(patience).count()));
    } else if (watchdog_) {
        send("WATCHDOG=1");
    }
}

void Supervisor::status(const std::string& text, bool passing) {
    const auto now = std::chrono::steady_clock::now();
    if (text == status_ || (passing && now - told_at_ < passing_interval)) {
        return;
    }
    status_ = text;
    told_at_ = now;
    send(fmt::format("STATUS={}", text));
}

void Supervisor::send(const std::string& message) {
    // 0: the socket is left in the environment, for the next message.
    static_cast<void>(::sd_notify(0, message.c_str()));
}

}  // namespace heiasync
