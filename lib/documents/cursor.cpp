#include "documents/cursor.hpp"

#include "documents/number.hpp"
#include "documents/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace heiasync::documents {

namespace {

constexpr std::size_t shown_name_length = 64;
constexpr std::size_t shown_path_length = 1024;

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

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool is_number_character(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

std::size_t number_length(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::find_if_not(bytes, is_number_character) - bytes.begin());
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

/// A member's name as a JSON pointer shows it: cut, and nothing but printable ASCII. A number is an id.
void append_name(std::string& path, std::string_view name) {
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
        path += '*';
        return;
    }
    for (const char c : name.substr(0, shown_name_length)) {
        if (c == '~') {
            path += "~0";
        } else if (c == '/') {
            path += "~1";
        } else {
            path += c > ' ' && c <= '~' ? c : '_';
        }
    }
}

}  // namespace

std::string_view name_of(ValueType type) noexcept {
    switch (type) {
        case ValueType::null:
            return "null";
        case ValueType::boolean:
            return "boolean";
        case ValueType::number:
            return "number";
        case ValueType::string:
            return "string";
        case ValueType::array:
            return "array";
        case ValueType::object:
            break;
    }
    return "object";
}

Cursor::Cursor(std::string_view operation, core::ByteSource& source) : operation_{operation}, window_{source} {}

ValueType Cursor::type() {
    switch (const char c = peek()) {
        case '{':
            return ValueType::object;
        case '[':
            return ValueType::array;
        case '"':
            return ValueType::string;
        case 't':
        case 'f':
            return ValueType::boolean;
        case 'n':
            return ValueType::null;
        default:
            if (c == '-' || (c >= '0' && c <= '9')) {
                return ValueType::number;
            }
            fail_syntax();
    }
}

void Cursor::skip() {
    const auto outside = depth();
    do {
        switch (type()) {
            case ValueType::null:
                take_value(ValueType::null);
                take_literal("null");
                break;
            case ValueType::boolean:
                read_boolean();
                break;
            case ValueType::number:
                read_number();
                break;
            case ValueType::string:
                enter_string();
                while (next_piece()) {
                }
                break;
            case ValueType::array:
                enter_array();
                break;
            case ValueType::object:
                enter_object(Names::hidden);
                break;
        }
        while (depth() > outside && !(in_object() ? next_member().has_value() : next_element())) {
        }
    } while (depth() > outside);
}

bool Cursor::read_boolean() {
    take_value(ValueType::boolean);
    const bool value = peek() == 't';
    take_literal(value ? "true" : "false");
    return value;
}

std::string_view Cursor::read_number() {
    take_value(ValueType::number);
    auto text = window_.bytes().substr(0, number_length(window_.bytes()));
    const bool is_whole = text.size() < window_.bytes().size();
    window_.take(text.size());
    if (!is_whole) {
        scratch_ = text;
        while (window_.fill()) {
            const auto length = number_length(window_.bytes());
            if (length == 0) {
                break;
            }
            scratch_ += window_.bytes().substr(0, length);
            window_.take(length);
        }
        text = scratch_;
    }
    if (!is_number(text)) {
        fail_syntax();
    }
    return text;
}

std::string_view Cursor::read_string() {
    enter_string();
    scratch_.clear();
    while (const auto piece = next_piece()) {
        if (scratch_.empty() && !piece->escaped && window_.bytes().starts_with('"')) {
            window_.take(1);
            return piece->text;
        }
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

void Cursor::enter_object(Names names) {
    take_value(ValueType::object);
    enter(true, names);
}

void Cursor::enter_array() {
    take_value(ValueType::array);
    enter(false, Names::shown);
}

std::optional<std::string_view> Cursor::next_member() {
    if (!move_on('}')) {
        return std::nullopt;
    }
    if (peek() != '"') {
        fail_syntax();
    }
    const auto begin = levels_.back().name_begin;
    names_.resize(begin);
    window_.take(1);
    while (const auto piece = next_piece()) {
        names_ += piece->text;
    }
    take_punctuation(':');
    at_value_ = true;
    return std::string_view{names_}.substr(begin);
}

bool Cursor::next_element() {
    at_value_ = move_on(']');
    return at_value_;
}

void Cursor::finish() {
    if (at_value_) {
        skip();
    }
    while (window_.fill()) {
        if (!is_space(window_.bytes().front())) {
            fail("something follows the document");
        }
        window_.take(1);
    }
}

std::string Cursor::pointer() const {
    return path(true);
}

std::string Cursor::pattern() const {
    return path(false);
}

DecodeError Cursor::error(const std::string& reason) const {
    return {operation_, pointer(), reason};
}

void Cursor::fail(const std::string& reason) const {
    throw error(reason);
}

/// The document is wrong from here on; where nothing follows, it was cut.
void Cursor::fail_syntax() {
    if (!window_.fill()) {
        fail_early();
    }
    fail("not JSON");
}

void Cursor::fail_early() const {
    fail(started_ ? "the document ends early" : "the document is empty");
}

/// The next character that is no white space.
char Cursor::peek() {
    while (window_.fill()) {
        const auto bytes = window_.bytes();
        const auto found = std::ranges::find_if_not(bytes, is_space);
        window_.take(static_cast<std::size_t>(found - bytes.begin()));
        if (found != bytes.end()) {
            started_ = true;
            return *found;
        }
    }
    fail_early();
}

void Cursor::take_punctuation(char expected) {
    if (peek() != expected) {
        fail_syntax();
    }
    window_.take(1);
}

void Cursor::take_literal(std::string_view literal) {
    window_.fill(literal.size());
    if (window_.bytes().starts_with(literal)) {
        window_.take(literal.size());
    } else {
        window_.take(std::ranges::mismatch(window_.bytes(), literal).in1 - window_.bytes().begin());
        fail_syntax();
    }
}

void Cursor::take_value(ValueType expected) {
    if (!at_value_ || type() != expected) {
        throw std::logic_error{"a value was read as what it is not"};
    }
    at_value_ = false;
}

void Cursor::enter(bool is_object, Names names) {
    if (levels_.size() == max_nesting) {
        fail("nested too deeply");
    }
    if (!levels_.empty()) {
        names_.resize(std::min(names_.size(), levels_.back().name_begin + shown_name_length));
    }
    levels_.push_back({names_.size(), 0, is_object, names});
    window_.take(1);
}

void Cursor::leave() {
    names_.resize(levels_.back().name_begin);
    levels_.pop_back();
    at_value_ = false;
}

/// Past the comma, where another member or element follows; past the end of the container, where none does.
bool Cursor::move_on(char closing) {
    if (at_value_) {
        skip();
    }
    const char c = peek();
    auto& level = levels_.back();
    if (c == closing) {
        window_.take(1);
        leave();
        return false;
    }
    if (level.count > 0) {
        take_punctuation(',');
    }
    ++level.count;
    return true;
}

std::string_view Cursor::take_plain_run() {
    const auto bytes = window_.bytes();
    const auto* const begin = bytes.data();
    const auto* const end = begin + bytes.size();
    const auto* at = begin;
    for (;;) {
        at = std::find_if_not(at, end, [](char c) { return kind_of(c) == Kind::plain; });
        const auto length = at == end ? 0 : sequence_length({at, static_cast<std::size_t>(end - at)});
        if (length == 0) {
            break;
        }
        at += length;
    }
    const auto run = bytes.substr(0, static_cast<std::size_t>(at - begin));
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

std::string Cursor::path(bool with_indexes) const {
    std::string text;
    for (std::size_t i = 0; i < levels_.size() && levels_[i].count > 0; ++i) {
        if (text.size() > shown_path_length) {
            return text + "/...";
        }
        const auto& level = levels_[i];
        text += '/';
        if (!level.is_object) {
            text += with_indexes ? fmt::to_string(level.count - 1) : "*";
        } else if (level.names == Names::hidden) {
            text += '*';
        } else {
            const auto end = i + 1 < levels_.size() ? levels_[i + 1].name_begin : names_.size();
            append_name(text, std::string_view{names_}.substr(level.name_begin, end - level.name_begin));
        }
    }
    return text;
}

}  // namespace heiasync::documents
