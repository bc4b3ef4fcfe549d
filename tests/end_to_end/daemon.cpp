#include "daemon.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace heiasync::testing {

using namespace std::chrono_literals;

Daemon::Daemon(const Installation& installation, const std::string& start, Pace pace, const Environment& environment)
    : installation_{installation},
      // A leaping daemon says more than a pipe holds.
      process_{installation.command(
                   pace == Pace::jump ? std::vector<std::string>{"--quiet", "run", "--simulated-time", start + ",jump"}
                                      : std::vector<std::string>{"run", "--simulated-time", start}),
               environment} {}

std::size_t Daemon::descriptors() const {
    const std::filesystem::directory_iterator all{fmt::format("/proc/{}/fd", process_.pid())};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string Daemon::status_of_process(std::string_view field) const {
    std::ifstream status{fmt::format("/proc/{}/status", process_.pid())};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(field)) {
            return line.substr(line.find_first_not_of(" \t", field.size() + 1));
        }
    }
    throw std::runtime_error{"the process has gone"};
}

std::size_t Daemon::memory_in_kb() const {
    return std::stoul(status_of_process("VmRSS"));
}

void Daemon::wait_for_runs(int count) const {
    wait_until([this, count] {
        return installation_.count("SELECT count(*) FROM pg_tables WHERE tablename = 'report_listings'") == 1 &&
               installation_.count(
                   "SELECT count(*) FROM heiasync.sync_runs WHERE status IN ('succeeded', 'partial', "
                   "'failed')") >= count;
    });
}

void Daemon::wait_for(const std::string& instant) const {
    if (!installation_.api().wait_for(core::parse_instant(instant), 600s)) {
        throw std::runtime_error{"it never came to " + instant};
    }
}

Outcome Daemon::stop() {
    // One that has just started may have nothing to do, and no handler yet.
    constexpr std::uint64_t sigterm = std::uint64_t{1} << (SIGTERM - 1);
    wait_until([this] { return (std::stoull(status_of_process("SigCgt"), nullptr, 16) & sigterm) != 0; });
    const auto begin = std::chrono::steady_clock::now();
    signal(SIGTERM);
    Outcome outcome = process_.wait();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    return outcome;
}

Outcome Daemon::kill() {
    signal(SIGKILL);
    return process_.wait();
}

}  // namespace heiasync::testing
