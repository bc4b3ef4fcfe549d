#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace heiasync {

/// Whoever started the daemon and listens at $NOTIFY_SOCKET (sd_notify(3)): systemd, for a unit with Type=notify. Where
/// nobody does, nothing is sent. Silent by itself: what cannot be told is not worth a failure.
class Supervisor {
public:
    /// Reads $NOTIFY_SOCKET and $WATCHDOG_USEC.
    Supervisor();

    /// READY=1: what was to be prepared is. Also after reloading(). Only the first one after each counts.
    void ready();
    /// RELOADING=1; ends with the next ready().
    void reloading();
    void stopping();

    /// How soon it wants to hear again that the daemon is well; unset: never. Of the watchdog, a third of its patience.
    [[nodiscard]] std::optional<std::chrono::microseconds> wants_to_hear_within() const;
    /// Every part of the daemon turns. Until the first ready() that gives the start more time (EXTEND_TIMEOUT_USEC=);
    /// from then on it feeds the watchdog (WATCHDOG=1), if there is one.
    void well();

    /// STATUS=, where it differs from the last one. `passing` is what changes many times a second: it is left out where
    /// the last one was told less than a second ago.
    void status(const std::string& text, bool passing);

private:
    static void send(const std::string& message);

    bool listens_;
    std::optional<std::chrono::microseconds> watchdog_;
    bool started_ = false;  ///< it was told once that the daemon is ready
    bool ready_ = false;
    std::string status_;
    std::chrono::steady_clock::time_point told_at_{};
};

}  // namespace heiasync
