#include "documents/cursor.hpp"
#include "documents/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

// The strings of a document.

namespace heiasync::documents {

namespace {

enum class Kind : unsigned char { plain, quote, backslash, control, beyond_ascii };

constexpr auto kinds = [] {
    std::array<Kind, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table.at(i) = i < 0x20 ? Kind::control : i < 0x80 ? Kind::plain : Kind::beyond_ascii;
    }
    table['"'] = Kind::quote;
    table['\\'] = Kind::backslash;
    return table;
}();

Kind kind_of(char c) {
    return kinds[static_cast<unsigned char>(c)];
}

/// How many characters stand at the beginning that are plain.
std::size_t plain_length(std::string_view text) {
    constexpr std::uint64_t each = 0x0101010101010101;
    constexpr std::uint64_t top_bits = 0x80 * each;
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto* at = begin;
    // Eight at once; in what is subtracted from, the top bit of a byte shows whether it was smaller.
    const auto below = [](std::uint64_t word, std::uint64_t limit) { return (word - limit * each) & ~word & top_bits; };
    for (std::uint64_t word = 0; end - at >= static_cast<std::ptrdiff_t>(sizeof word); at += sizeof word) {
        std::memcpy(&word, at, sizeof word);
        const auto special =
            (word & top_bits) | below(word, 0x20) | below(word ^ ('"' * each), 1) | below(word ^ ('\\' * each), 1);
        if (special != 0) {
            break;
        }
    }
    at = std::find_if_not(at, end, [](char c) { return kind_of(c) == Kind::plain; });
    return static_cast<std::size_t>(at - begin);
}

bool is_high_surrogate(char32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(char32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/// The code unit of an escape `\uXXXX` at the beginning of the text.
std::optional<char32_t> escaped_unit(std::string_view text) {
    constexpr std::size_t length = 6;
    if (text.size() < length || !text.starts_with("\\u")) {
        return std::nullopt;
    }
    std::uint32_t unit = 0;
    const auto* const end = text.data() + length;
    const auto [stopped, error] = std::from_chars(text.data() + 2, end, unit, 16);
    return error == std::errc{} && stopped == end ? std::optional<char32_t>{unit} : std::nullopt;
}

std::optional<char> short_escape(char letter) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view characters = "\"\\/\b\f\n\r\t";
    const auto index = letters.find(letter);
    return index == std::string_view::npos ? std::nullopt : std::optional{characters[index]};
}

}  // namespace

std::string_view Cursor::read_string() {
    enter_string();
    const auto run = take_plain_run();
    if (window_.bytes().starts_with('"')) {
        window_.take(1);
        return run;
    }
    scratch_ = run;
    while (const auto piece = next_piece()) {
        scratch_ += piece->text;
    }
    return scratch_;
}

void Cursor::enter_string() {
    take_value(ValueType::string);
    window_.take(1);
}

std::optional<Cursor::Piece> Cursor::next_piece() {
    if (!window_.fill()) {
        fail_early();
    }
    if (const auto run = take_plain_run(); !run.empty()) {
        return Piece{run, false};
    }
    if (window_.bytes().front() == '"') {
        window_.take(1);
        return std::nullopt;
    }
    return take_special();
}

std::string_view Cursor::take_plain_run() {
    const auto bytes = window_.bytes();
    std::size_t length = plain_length(bytes);
    while (const auto sequence = sequence_length(bytes.substr(length))) {
        length += sequence;
        length += plain_length(bytes.substr(length));
    }
    const auto run = bytes.substr(0, length);
    window_.take(run.size());
    return run;
}

Cursor::Piece Cursor::take_special() {
    switch (kind_of(window_.bytes().front())) {
        case Kind::backslash:
            return {take_escape(), true};
        case Kind::beyond_ascii:
            return {take_sequence(), false};
        default:
            fail_syntax();
    }
}

std::string_view Cursor::take_escape() {
    constexpr std::size_t short_length = 2;
    if (!window_.fill(short_length)) {
        fail_early();
    }
    const char letter = window_.bytes()[1];
    character_.clear();
    if (const auto character = short_escape(letter)) {
        character_ += *character;
        window_.take(short_length);
    } else if (letter == 'u') {
        append_utf8(character_, take_code_point());
    } else {
        fail_syntax();
    }
    return character_;
}

char32_t Cursor::take_code_point() {
    constexpr std::size_t length = 6;
    constexpr char32_t replacement = 0xFFFD;
    window_.fill(2 * length);
    const auto bytes = window_.bytes();
    const auto unit = escaped_unit(bytes);
    if (!unit) {
        window_.take(std::min(bytes.size(), length));
        fail_syntax();
    }
    const auto following = is_high_surrogate(*unit) ? escaped_unit(bytes.substr(length)) : std::nullopt;
    if (following && is_low_surrogate(*following)) {
        window_.take(2 * length);
        return 0x10000 + ((*unit - 0xD800) << 10U) + (*following - 0xDC00);
    }
    window_.take(length);
    if (*unit == 0 || is_high_surrogate(*unit) || is_low_surrogate(*unit)) {
        ++replacements_;
        return replacement;
    }
    return *unit;
}

/// A sequence that the run before did not take: it is invalid, or its end is in the next piece.
std::string_view Cursor::take_sequence() {
    window_.fill(announced_length(window_.bytes().front()));
    const auto length = sequence_length(window_.bytes());
    const auto sequence = window_.bytes().substr(0, length);
    if (length == 0) {
        ++replacements_;
        window_.take(1);
        return replacement_character;
    }
    window_.take(length);
    return sequence;
}

}  // namespace heiasync::documents
