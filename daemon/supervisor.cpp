#include "supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <fmt/format.h>

#include <ctime>
#include <utility>

namespace heiasync {

namespace {

constexpr std::chrono::seconds passing_interval{1};

std::chrono::microseconds monotonic_time() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds{now.tv_sec} +
           std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds{now.tv_nsec});
}

}  // namespace

void Supervisor::ready() {
    if (!std::exchange(ready_, true)) {
        send("READY=1");
    }
}

void Supervisor::reloading() {
    ready_ = false;
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_time().count()));
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
