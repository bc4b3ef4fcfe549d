#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::documents {

class Cursor;

/// A list of figures as a document writes them: PostgreSQL reads the same text that the server wrote. Each fits a
/// double.
class Figures {
public:
    /// A JSON number, or none. False where there is none then: it may not fit a double.
    bool append(std::optional<std::string_view> number);
    void append(const Figures& others);
    /// The plain numbers that come next in the array that the cursor is in.
    void append_plain(Cursor& cursor);
    void clear();

    [[nodiscard]] std::size_t size() const { return size_; }
    /// With commas between, `null` where there is none: `3.17,null,2`.
    [[nodiscard]] std::string_view text() const;
    [[nodiscard]] std::vector<std::optional<std::string_view>> numbers() const;

    friend bool operator==(const Figures&, const Figures&) = default;

private:
    std::string text_;  ///< a comma behind each
    std::size_t size_ = 0;
};

/// Per cent per option of the questions of a group.
class Breakdown {
public:
    /// Of a question that is added twice the first counts.
    void add(std::int64_t question_id, const Figures& figures);

    /// Ascending once sort() was called, no id twice.
    [[nodiscard]] const std::vector<std::int64_t>& question_ids() const { return question_ids_; }
    /// Of each question, how many figures there are up to its last.
    [[nodiscard]] const std::vector<std::size_t>& ends() const { return ends_; }
    /// Question after question.
    [[nodiscard]] const Figures& figures() const { return figures_; }

    void sort();
    void clear();

    friend bool operator==(const Breakdown&, const Breakdown&) = default;

private:
    std::vector<std::int64_t> question_ids_;
    std::vector<std::size_t> ends_;
    Figures figures_;
};

}  // namespace heiasync::documents
