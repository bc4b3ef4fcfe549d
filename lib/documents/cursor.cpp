#include "documents/cursor.hpp"

#include "documents/number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace heiasync::documents {

namespace {

constexpr std::size_t shown_name_length = 64;
constexpr std::size_t shown_path_length = 1024;

// Objects, because a function that is handed to an algorithm is called for each character.
constexpr auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
constexpr auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
constexpr auto is_number_character = [](char c) {
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
};

/// Where the plain number ends that stands here, or nullptr: where there is none, and where its end is not in sight.
const char* end_of_plain_number(const char* begin, const char* end) {
    const auto* at = begin;
    end = begin + std::min<std::ptrdiff_t>(end - begin, Cursor::max_plain_number + 1);
    const auto past_digits = [&at, end] {
        const auto* const first = at;
        at = std::find_if_not(at, end, is_digit);
        return at > first;
    };
    at += at < end && *at == '-' ? 1 : 0;
    const auto* const first_digit = at;
    if (!past_digits() || (*first_digit == '0' && at > first_digit + 1)) {
        return nullptr;
    }
    if (at < end && *at == '.') {
        ++at;
        if (!past_digits()) {
            return nullptr;
        }
    }
    return at < end && !is_number_character(*at) ? at : nullptr;
}

std::size_t number_length(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::find_if_not(bytes, is_number_character) - bytes.begin());
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
    const char c = peek();
    switch (c) {
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
            if (c == '-' || is_digit(c)) {
                return ValueType::number;
            }
            fail_syntax();
    }
}

void Cursor::enter_or_skip(Names names) {
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
            enter_object(names);
            break;
    }
}

void Cursor::skip() {
    const auto outside = depth();
    do {
        enter_or_skip(Names::hidden);
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
    window_.take(1);
    names_.replace(begin, std::string::npos, take_plain_run());
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

std::size_t Cursor::take_plain_numbers(std::string& text) {
    if (at_value_) {
        return 0;
    }
    auto& level = levels_.back();
    const auto bytes = window_.bytes();
    const auto* const end = bytes.data() + bytes.size();
    const auto* const begin = bytes.data() + (level.count > 0 && bytes.starts_with(',') ? 1 : 0);
    if (begin == bytes.data() && level.count > 0) {
        return 0;
    }
    std::size_t count = 0;
    const auto* behind = begin;
    for (const auto* next = begin; const auto* const at = end_of_plain_number(next, end);) {
        behind = at;
        ++count;
        if (*at != ',') {
            break;
        }
        next = at + 1;
    }
    if (count > 0) {
        text.append(begin, behind);
        text += ',';
        level.count += count;
        window_.take(static_cast<std::size_t>(behind - bytes.data()));
    }
    return count;
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

char Cursor::peek_beyond_space() {
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
