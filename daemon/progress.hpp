#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog {
class logger;
}

namespace heiasync {

/// How far something is that takes its time.
struct Advance {
    std::string_view noun;             ///< of what is counted; takes an s
    std::string_view beginning;        ///< what is going on before their number is known
    std::int64_t done = 0;             ///< of them
    std::int64_t all = 0;              ///< 0: not known yet
    std::vector<std::string> figures;  ///< what else is told, the least important first
};

/// How far it is, in exactly `columns` ASCII characters: done of all, a bar, percentage, figures and an estimate of the
/// time left, as much of it as there is room for. `elapsed` counts from when the number of all was known. Before that,
/// the text says what is going on.
std::string render(const Advance& advance, std::chrono::milliseconds elapsed, int columns);

/// Shows how far it is: where stderr is a terminal that can erase a line, by a bar in its last line; elsewhere by a
/// log line every half minute. While there is a bar, each line of the log takes its place, and it follows below.
class ProgressDisplay {
public:
    /// Draws the bar for the first time. `log` must outlive this; it is written to on the thread of `executor` only.
    ProgressDisplay(boost::asio::any_io_executor executor, spdlog::logger& log, bool quiet, Advance advance);
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;
    ~ProgressDisplay();

    /// Redraws the bar, at most ten times a second, the newest figures within a tenth of a second.
    void show(Advance advance);

    /// Takes the bar away for good: what is printed next begins a fresh line.
    void finish();

private:
    class Bar;
    class Lines;

    std::unique_ptr<Bar> bar_;
    std::unique_ptr<Lines> lines_;
};

}  // namespace heiasync
