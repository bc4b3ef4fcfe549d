#pragma once

#include "process.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// What a terminal of so many columns shows after it was sent text, as far as carriage return, line feed and "erase to
/// the end of the line" go. Anything else that is no printable ASCII is a std::invalid_argument.
class Screen {
public:
    explicit Screen(std::size_t columns) : columns_{columns}, rows_(1) {}

    void put(std::string_view text);
    void resize(std::size_t columns) { columns_ = columns; }

    /// From the top, a line that takes several rows in one piece, without the spaces at its end. The last one is that
    /// of the cursor.
    [[nodiscard]] std::vector<std::string> lines() const;
    /// Of the cursor, from 0.
    [[nodiscard]] std::size_t column() const { return column_; }

    /// What stood in a row each time that something else was written over it from its beginning, or that it was erased
    /// from there: the states of a line that is drawn again and again.
    [[nodiscard]] const std::vector<std::string>& overwritten() const { return overwritten_; }
    /// Those of them that were the end of a line of several rows: what stands in the rows above is there to stay.
    [[nodiscard]] const std::vector<std::string>& torn() const { return torn_; }

private:
    struct Row {
        std::string text;
        bool continues = false;  ///< the line of the row above
    };

    void put(char c);
    void begin_again();

    std::size_t columns_;
    std::size_t column_ = 0;
    std::vector<Row> rows_;
    std::string sequence_;  ///< as far as it has come
    std::vector<std::string> overwritten_;
    std::vector<std::string> torn_;
};

/// A program in the foreground of a terminal of its own, which is its stdin, stdout and stderr.
class Terminal {
public:
    Terminal(const std::vector<std::string>& command, std::size_t columns, const Environment& environment = {});
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal();

    /// As if it was typed: `\x03` is Ctrl-C.
    void type(std::string_view keys) const;
    void resize(std::size_t columns);

    /// Reads what the program prints until it is so. Throws std::runtime_error where the program ends before, or after
    /// a minute.
    void read_until(const std::function<bool()>& so);

    /// Reads to the end. The exit code, 128 + its number where a signal ended it.
    int wait();

    [[nodiscard]] const Screen& screen() const { return screen_; }
    /// Everything as it was sent.
    [[nodiscard]] const std::string& sent() const { return sent_; }

private:
    enum class Read { some, nothing, end };
    /// Waits for at most `limit`.
    Read read_some(std::chrono::milliseconds limit);

    int terminal_ = -1;
    pid_t pid_ = 0;
    Screen screen_;
    std::string sent_;
};

}  // namespace heiasync::testing
