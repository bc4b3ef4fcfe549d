#include "supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <fmt/format.h>

#include <utility>

namespace heiasync {

namespace {

constexpr std::chrono::seconds passing_interval{1};

}  // namespace

void Supervisor::ready() {
    if (!std::exchange(ready_, true)) {
        send("READY=1");
    }
}

void Supervisor::reloading() {
    using std::chrono::microseconds;
    ready_ = false;
    // The steady clock of libstdc++ is CLOCK_MONOTONIC.
    const auto now = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void Supervisor::stopping() {
    send("STOPPING=1");
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
