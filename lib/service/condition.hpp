#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

namespace spdlog {
class logger;
}

namespace heiasync::service {

/// A state of the world that hinders the daemon: told once when it begins, once for each of a few further reasons that
/// it turns out to have, and once when it has ended.
class Condition {
public:
    /// `ended` is what is told at the end: `the database is available again`.
    explicit Condition(std::string ended) : ended_{std::move(ended)} {}

    /// It holds, or still holds, and one more attempt failed of it.
    void holds(spdlog::logger& log, const std::string& message);
    void has_ended(spdlog::logger& log);
    /// What holds may have another reason from now on: it is told once more where it still holds.
    void tell_again() { told_.clear(); }

    /// Since when it holds, in real time; unset where it does not.
    [[nodiscard]] const std::optional<std::chrono::steady_clock::time_point>& since() const { return since_; }
    /// What the last attempt failed of; empty where it does not hold.
    [[nodiscard]] const std::string& message() const { return message_; }

private:
    std::string ended_;
    std::string message_;
    std::optional<std::chrono::steady_clock::time_point> since_;
    int attempts_ = 0;
    std::set<std::string> told_;
};

}  // namespace heiasync::service
