#pragma once

#include "sync/run.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace heiasync {

/// How far a run is, in exactly `columns` ASCII characters: organisations done of all, a bar, percentage, requests,
/// failures and an estimate of the time left, as much of it as there is room for. `elapsed` counts from the first
/// organisation. Before the number of organisations is known, the text says so.
std::string render(const sync::Progress& progress, std::chrono::milliseconds elapsed, int columns);

/// Shows how far a run is: where stderr is a terminal that can erase a line, by a bar in its last line; elsewhere by a
/// log line every half minute. While there is a bar, each line of the log takes its place, and it follows below.
class ProgressDisplay {
public:
    /// Draws the bar for the first time. `log` must outlive this; it is written to on the thread of `executor` only.
    ProgressDisplay(boost::asio::any_io_executor executor, spdlog::logger& log, bool quiet);
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;
    ~ProgressDisplay();

    /// Redraws the bar, at most ten times a second, the newest figures within a tenth of a second.
    void show(const sync::Progress& progress);

    /// Takes the bar away for good: what is printed next begins a fresh line.
    void finish();

private:
    class Bar;
    class Lines;

    std::unique_ptr<Bar> bar_;
    std::unique_ptr<Lines> lines_;
};

}  // namespace heiasync
