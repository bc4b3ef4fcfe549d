#include "progress.hpp"

#include "core/counted.hpp"
#include "core/duration.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync {

namespace {

using core::counted;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds between_lines{30};
constexpr milliseconds between_drawings{100};
constexpr std::size_t narrow = 5;
constexpr std::size_t comfortable = 10;
constexpr int default_columns = 80;
constexpr const char* erase_to_end = "\x1b[K";

std::string fitted(std::string text, std::size_t columns) {
    text.resize(columns, ' ');
    return text;
}

/// Whether a line of it can be drawn again: not so where messages go to a file, nor where the terminal does not say
/// what it is.
bool is_capable_terminal() {
    const char* const name = std::getenv("TERM");
    const std::string_view terminal{name == nullptr ? "" : name};
    return ::isatty(STDERR_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
}

/// As it is now: a window can be resized at any time.
int terminal_columns() {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : default_columns;
}

void write_to_terminal(std::string_view text) {
    // One that went away is no reason to end a run.
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()) < 0);
}

/// Does something whenever a line is logged, before or after the sink that writes it.
class Hook final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit Hook(std::function<void()> action) : action_{std::move(action)} {}

private:
    void sink_it_(const spdlog::details::log_msg& /*message*/) override { action_(); }
    void flush_() override {}

    std::function<void()> action_;
};

}  // namespace

std::string render(const Advance& advance, milliseconds elapsed, int columns) {
    const auto width = static_cast<std::size_t>(std::max(columns, 0));
    const std::int64_t all = advance.all;
    const std::int64_t done = std::min(advance.done, all);
    if (all == 0) {
        return fitted(std::string{advance.beginning}, width);
    }

    const std::string percent = fmt::format("{} %", done * 100 / all);
    const std::string left =
        done == 0 ? "time left unknown" : core::rough_duration(elapsed * (all - done) / done) + " left";
    const std::string head = fmt::format("{} of {}", done, counted(all, advance.noun));
    const std::string short_head = fmt::format("{}/{}", done, all);

    struct Layout {
        const std::string& head;
        std::size_t narrowest_bar;
        std::vector<std::string_view> tail;
    };
    std::vector<Layout> layouts;
    for (auto figure = advance.figures.begin();; ++figure) {
        std::vector<std::string_view> tail{percent};
        tail.insert(tail.end(), figure, advance.figures.end());
        tail.push_back(left);
        layouts.push_back({head, comfortable, std::move(tail)});
        if (figure == advance.figures.end()) {
            break;
        }
    }
    layouts.push_back({head, comfortable, {left}});
    layouts.push_back({short_head, narrow, {percent, left}});
    layouts.push_back({short_head, narrow, {left}});
    layouts.push_back({short_head, narrow, {percent}});
    layouts.push_back({short_head, narrow, {}});
    for (const Layout& layout : layouts) {
        const std::string front = layout.head + " [";
        const std::string back = fmt::format("]{}{}", layout.tail.empty() ? "" : " ", fmt::join(layout.tail, ", "));
        if (front.size() + layout.narrowest_bar + back.size() <= width) {
            const std::size_t length = width - front.size() - back.size();
            const std::size_t filled = length * static_cast<std::size_t>(done) / static_cast<std::size_t>(all);
            return fmt::format("{}{:#<{}}{:.<{}}{}", front, "", filled, "", length - filled, back);
        }
    }
    return fitted(short_head, width);
}

class ProgressDisplay::Bar {
public:
    Bar(const boost::asio::any_io_executor& executor, spdlog::logger& log, Advance advance)
        : timer_{executor},
          log_{log},
          before_{std::make_shared<Hook>(clear)},
          after_{std::make_shared<Hook>([this] { draw_soon(); })},
          advance_{std::move(advance)} {
        log_.sinks().insert(log_.sinks().begin(), before_);
        log_.sinks().push_back(after_);
        draw();
    }
    Bar(const Bar&) = delete;
    Bar& operator=(const Bar&) = delete;

    ~Bar() {
        std::erase(log_.sinks(), before_);
        std::erase(log_.sinks(), after_);
        clear();
    }

    void show(Advance advance) {
        if (advance_.all == 0) {
            began_ = steady_clock::now();
        }
        advance_ = std::move(advance);
        draw_soon();
    }

private:
    void draw_soon() {
        if (is_due_) {
            return;
        }
        const auto next = drawn_at_ + between_drawings;
        if (next <= steady_clock::now()) {
            draw();
            return;
        }
        is_due_ = true;
        timer_.expires_at(next);
        timer_.async_wait([this](const boost::system::error_code& error) {
            // Not even `this` is there any more where the wait was cancelled.
            if (!error) {
                is_due_ = false;
                draw();
            }
        });
    }

    void draw() {
        drawn_at_ = steady_clock::now();
        // The last column stays empty, since there are terminals that wrap there at once. The cursor returns, so that
        // what others write (the ^C of a key) takes no second line.
        const auto elapsed = std::chrono::duration_cast<milliseconds>(drawn_at_ - began_);
        write_to_terminal(fmt::format("\r{}{}\r", render(advance_, elapsed, terminal_columns() - 1), erase_to_end));
    }

    /// Whether the bar is there or not: a key that was pressed may have left its mark in the line.
    static void clear() { write_to_terminal(fmt::format("\r{}", erase_to_end)); }

    boost::asio::steady_timer timer_;
    spdlog::logger& log_;
    spdlog::sink_ptr before_;
    spdlog::sink_ptr after_;
    Advance advance_;
    steady_clock::time_point began_ = steady_clock::now();
    steady_clock::time_point drawn_at_;
    bool is_due_ = false;  ///< the timer is set
};

class ProgressDisplay::Lines {
public:
    explicit Lines(spdlog::logger& log) : log_{log} {}

    void show(const Advance& advance) {
        const auto now = steady_clock::now();
        if (now < next_) {
            return;
        }
        next_ = now + between_lines;
        log_.info("{} of {}, {}", advance.done, counted(advance.all, advance.noun), fmt::join(advance.figures, ", "));
    }

private:
    spdlog::logger& log_;
    steady_clock::time_point next_ = steady_clock::now() + between_lines;
};

ProgressDisplay::ProgressDisplay(boost::asio::any_io_executor executor, spdlog::logger& log, bool quiet,
                                 Advance advance) {
    if (!quiet && is_capable_terminal()) {
        bar_ = std::make_unique<Bar>(executor, log, std::move(advance));
    } else {
        lines_ = std::make_unique<Lines>(log);
    }
}

ProgressDisplay::~ProgressDisplay() = default;

void ProgressDisplay::show(Advance advance) {
    if (bar_) {
        bar_->show(std::move(advance));
    } else if (lines_) {
        lines_->show(advance);
    }
}

void ProgressDisplay::finish() {
    bar_.reset();
}

}  // namespace heiasync
