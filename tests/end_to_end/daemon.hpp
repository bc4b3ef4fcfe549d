#pragma once

#include "installation.hpp"
#include "process.hpp"
#include "support/wait_until.hpp"

#include <string>
#include <string_view>

namespace heiasync::testing {

/// A daemon in a rehearsal, whose calendar starts at an ISO 8601 instant.
class Daemon {
public:
    /// Runs with real time, or leaps from slot to slot.
    enum class Pace { real, jump };

    Daemon(const Installation& installation, const std::string& start, Pace pace = Pace::real,
           const Environment& environment = {});

    void signal(int number) const { process_.signal(number); }
    /// How many descriptors it has open, and how much memory it has in use.
    [[nodiscard]] std::size_t descriptors() const;
    [[nodiscard]] std::size_t memory_in_kb() const;

    /// Its runs have become this many that ended by themselves.
    void wait_for_runs(int count) const;

    /// Its requests have come to this instant of its calendar.
    void wait_for(const std::string& instant) const;

    /// It has logged this, after what was waited for before.
    void wait_for_log(const std::string& text) { process_.wait_for_err(text); }

    /// SIGTERM: it ends with 0, within five seconds.
    Outcome stop();
    Outcome kill();

    Outcome wait() { return process_.wait(); }

private:
    /// A field of the kernel's account of it.
    [[nodiscard]] std::string status_of_process(std::string_view field) const;

    const Installation& installation_;
    Process process_;
};

}  // namespace heiasync::testing
