#pragma once

#include "core/bytes.hpp"
#include "documents/decode_error.hpp"
#include "documents/window.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::documents {

enum class ValueType { null, boolean, number, string, array, object };

/// `null`, `boolean`, `number`, `string`, `array` or `object`.
[[nodiscard]] std::string_view name_of(ValueType type) noexcept;

/// Walks a JSON document in one pass, in the memory of its longest string, by pulling:
///
///     cursor.enter_object();
///     while (const auto name = cursor.next_member()) {
///         if (*name == "id" && cursor.type() == ValueType::number) {
///             id = cursor.read_number();
///         }
///     }
///
/// A value that was not read when the cursor is moved on is skipped, so that what is new in a document does not matter.
/// A container that was entered is walked to its end.
///
/// Strict about the grammar (RFC 8259), and tolerant of what its strings hold: NUL, lone surrogates and bytes that are
/// no UTF-8 arrive as U+FFFD, so that every text from here is valid UTF-8 that PostgreSQL can store. Numbers arrive as
/// they are written, whatever their size. RapidJSON 1.1 is not used for this because it cannot be pulled from, refuses
/// lone surrogates and refuses numbers beyond a double; the tests hold this cursor against it.
///
/// Views are valid until the next call. Every call throws DecodeError where the document is not JSON or ends early.
class Cursor {
public:
    /// A document nested deeper is refused: each level that is open takes memory, none takes stack.
    static constexpr std::size_t max_nesting = 100'000;

    /// `operation` names the answer in errors. The source must outlive the cursor.
    Cursor(std::string_view operation, core::ByteSource& source);

    /// Of the value at hand: the document at first, then what next_member() and next_element() moved to.
    [[nodiscard]] ValueType type();

    void skip();
    bool read_boolean();
    std::string_view read_number();
    std::string_view read_string();

    /// A part of a string. Only an escaped one can hold a control character, a quote or a backslash.
    struct Piece {
        std::string_view text;  ///< whole characters
        bool escaped = false;
    };
    /// For a string that may be too long to stand in memory: enter_string(), then next_piece() until there is none.
    void enter_string();
    std::optional<Piece> next_piece();

    /// Whether the names of an object's members may be shown. Those that are ids, or of parts that we do not know, are
    /// content and appear as `*`.
    enum class Names { shown, hidden };
    void enter_object(Names names = Names::shown);
    std::optional<std::string_view> next_member();
    void enter_array();
    bool next_element();
    /// For a walk over all there is: enters an object or an array, and moves over anything else.
    void enter_or_skip(Names names);
    /// Moves over the elements that come next while they are plain numbers: without an exponent, and of at most
    /// max_plain_number characters. Appends them to `text`, each with a comma behind it, and returns how many. The way
    /// to read long lists of them; what stops it is an element, or the end, for next_element().
    std::size_t take_plain_numbers(std::string& text);
    static constexpr std::size_t max_plain_number = 24;

    /// How many containers are open, and whether the innermost is an object.
    [[nodiscard]] std::size_t depth() const { return levels_.size(); }
    [[nodiscard]] bool in_object() const { return levels_.back().is_object; }

    /// Makes sure that nothing follows the document.
    void finish();

    /// How many bytes of the document lie before the spot where the cursor stands: before the value at hand once its
    /// type() was asked for, behind it once it was read.
    [[nodiscard]] std::uint64_t offset() const { return window_.taken(); }

    /// How many characters could not be kept so far.
    [[nodiscard]] std::uint64_t replacements() const { return replacements_; }

    /// Where the value at hand stands, or the one read last. `pattern` has `*` for array indexes too.
    [[nodiscard]] std::string pointer() const;
    [[nodiscard]] std::string pattern() const;

    [[nodiscard]] DecodeError error(const std::string& reason) const;
    [[noreturn]] void fail(const std::string& reason) const;

private:
    struct Level {
        std::size_t name_begin = 0;  ///< the member's name in names_, up to the next level's
        std::size_t count = 0;       ///< members or elements met
        bool is_object = false;
        Names names = Names::shown;
    };

    [[noreturn]] void fail_syntax();
    [[noreturn]] void fail_early() const;
    /// The next character that is no white space.
    char peek() {
        const auto bytes = window_.bytes();
        if (bytes.empty() || bytes.front() <= ' ') {
            return peek_beyond_space();
        }
        started_ = true;
        return bytes.front();
    }
    char peek_beyond_space();
    void take_punctuation(char expected);
    void take_literal(std::string_view literal);
    void take_value(ValueType expected);
    void enter(bool is_object, Names names);
    void leave();
    bool move_on(char closing);
    std::string_view take_plain_run();
    Piece take_special();
    std::string_view take_escape();
    char32_t take_code_point();
    std::string_view take_sequence();
    [[nodiscard]] std::string path(bool with_indexes) const;

    std::string operation_;
    Window window_;
    std::vector<Level> levels_;
    std::string names_;      ///< of the members that are open, one after the other
    std::string scratch_;    ///< a string or number that does not stand in the window in one view
    std::string character_;  ///< an escaped character
    std::uint64_t replacements_ = 0;
    bool at_value_ = true;  ///< the value at hand has not been read
    bool started_ = false;
};

}  // namespace heiasync::documents
