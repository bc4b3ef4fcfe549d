#include "terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace heiasync::testing {

namespace {

constexpr std::chrono::minutes patience{1};

[[noreturn]] void fail(const char* what) {
    throw std::system_error{errno, std::generic_category(), what};
}

std::string without_trailing_spaces(const std::string& text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

void set_columns(int terminal, std::size_t columns) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = static_cast<unsigned short>(columns);
    if (::ioctl(terminal, TIOCSWINSZ, &size) != 0) {
        fail("TIOCSWINSZ");
    }
}

}  // namespace

void Screen::put(std::string_view text) {
    for (const char c : text) {
        put(c);
    }
}

void Screen::put(char c) {
    constexpr std::string_view erase_to_end = "\x1b[K";
    if (!sequence_.empty() || c == '\x1b') {
        sequence_ += c;
        if (!erase_to_end.starts_with(sequence_)) {
            throw std::invalid_argument{"a control sequence that the screen does not know"};
        }
        if (sequence_ == erase_to_end) {
            sequence_.clear();
            begin_again();
            rows_.back().text.resize(std::min(column_, rows_.back().text.size()));
        }
        return;
    }
    if (c == '\r') {
        column_ = 0;
    } else if (c == '\n') {
        rows_.emplace_back();
    } else if (c >= ' ' && c <= '~') {
        if (column_ == columns_) {
            rows_.push_back({"", true});
            column_ = 0;
        }
        begin_again();
        auto& text = rows_.back().text;
        text.resize(std::max(text.size(), column_ + 1), ' ');
        text[column_++] = c;
    } else {
        throw std::invalid_argument{"a character that the screen does not know"};
    }
}

void Screen::begin_again() {
    const auto& row = rows_.back();
    if (column_ > 0 || row.text.empty()) {
        return;
    }
    overwritten_.push_back(without_trailing_spaces(row.text));
    if (row.continues) {
        torn_.push_back(row.text);
    }
}

std::vector<std::string> Screen::lines() const {
    std::vector<std::string> lines;
    for (const auto& row : rows_) {
        if (row.continues) {
            lines.back() += row.text;
        } else {
            lines.push_back(row.text);
        }
    }
    std::ranges::transform(lines, lines.begin(), without_trailing_spaces);
    return lines;
}

Terminal::Terminal(const std::vector<std::string>& command, std::size_t columns, const Environment& environment)
    : terminal_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)}, screen_{columns} {
    std::array<char, 128> name{};
    if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0 ||
        ::ptsname_r(terminal_, name.data(), name.size()) != 0) {
        fail("posix_openpt");
    }
    set_columns(terminal_, columns);

    // The first terminal that the leader of a new session opens becomes the one that controls it.
    Spawn spawn;
    spawn.new_session();
    spawn.open(STDIN_FILENO, name.data(), O_RDWR);
    spawn.duplicate(STDIN_FILENO, STDOUT_FILENO);
    spawn.duplicate(STDIN_FILENO, STDERR_FILENO);
    Environment all{{"TERM", "xterm"}};
    for (const auto& [variable, value] : environment) {
        all.insert_or_assign(variable, value);
    }
    pid_ = spawn.start(command, all);
}

Terminal::~Terminal() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (terminal_ >= 0) {
        ::close(terminal_);
    }
}

void Terminal::type(std::string_view keys) const {
    if (::write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
        fail("write");
    }
}

void Terminal::resize(std::size_t columns) {
    set_columns(terminal_, columns);
    screen_.resize(columns);
}

Terminal::Read Terminal::read_some(std::chrono::milliseconds limit) {
    pollfd stream{terminal_, POLLIN, 0};
    if (::poll(&stream, 1, static_cast<int>(limit.count())) == 0) {
        return Read::nothing;
    }
    std::array<char, 4096> buffer{};
    const auto count = ::read(terminal_, buffer.data(), buffer.size());
    if (count <= 0) {
        return Read::end;  // EIO: nobody has the other side open any more
    }
    const std::string_view text{buffer.data(), static_cast<std::size_t>(count)};
    sent_ += text;
    screen_.put(text);
    return Read::some;
}

void Terminal::read_until(const std::function<bool()>& so) {
    constexpr std::chrono::milliseconds between_looks{5};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!so()) {
        if (read_some(between_looks) == Read::end || std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error{fmt::format("it never happened; the program had printed:\n{}", sent_)};
        }
    }
}

int Terminal::wait() {
    auto read = Read::some;
    while (read == Read::some) {
        read = read_some(patience);
    }
    add_to_transcript(sent_);
    if (read == Read::nothing) {
        throw std::runtime_error{fmt::format("the program is silent; it had printed:\n{}", sent_)};
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace heiasync::testing
