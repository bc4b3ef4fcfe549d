#include "history/values.hpp"

#include "documents/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace heiasync::history {
namespace {

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// What COPY writes behind a backslash in the place of a character; NUL where the character stands as it is.
constexpr auto copy_escapes = [] {
    std::array<char, 256> table{};
    table['\\'] = '\\';
    table['\t'] = 't';
    table['\n'] = 'n';
    table['\r'] = 'r';
    return table;
}();

char copy_escape(char c) {
    return copy_escapes[static_cast<unsigned char>(c)];
}

void append_escaped(std::string& line, std::string_view text) {
    for (;;) {
        const auto special = std::ranges::find_if(text, copy_escape);
        line.append(text.begin(), special);
        if (special == text.end()) {
            return;
        }
        line += '\\';
        line += copy_escape(*special);
        text.remove_prefix(static_cast<std::size_t>(special - text.begin()) + 1);
    }
}

constexpr std::string_view null_element = "NULL";

/// An element of an array, in quotes.
void append_quoted(std::string& array, std::string_view text) {
    array += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            array += '\\';
        }
        array += c;
    }
    array += '"';
}

}  // namespace

std::string storable_text(std::string_view text) {
    std::string result;
    append_text(result, text);
    return result;
}

std::string_view prefix(std::string_view text, std::size_t size) {
    if (text.size() > size) {
        while (size > 0 && continues_character(text[size])) {
            --size;
        }
        text = text.substr(0, size);
    }
    return text;
}

void append_text(std::string& result, double value) {
    fmt::format_to(std::back_inserter(result), "{}", value);
}

void append_text(std::string& result, std::string_view value) {
    while (!value.empty()) {
        const auto is_plain = [](char c) { return static_cast<signed char>(c) > 0; };
        const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(value, is_plain) - value.begin());
        const std::size_t length = plain > 0 ? plain : documents::sequence_length(value);
        result += length > 0 ? value.substr(0, length) : documents::replacement_character;
        value.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

void append_text(std::string& result, core::Instant value) {
    result += core::format_instant(value);
}

void append_text(std::string& result, core::Date value) {
    result += core::format_date(value);
}

Value Value::verbatim(std::string_view value) {
    Value result;
    result.text_ = value;
    return result;
}

Value Value::bytes(std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    Value result;
    result.text_ = "\\x";
    result.text_->reserve(2 + 2 * value.size());
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        *result.text_ += digits[byte >> 4U];
        *result.text_ += digits[byte & 0xFU];
    }
    return result;
}

void Value::append_element(const Value& element) {
    if (text_->size() > 1) {
        *text_ += ',';
    }
    if (element.text_) {
        append_quoted(*text_, *element.text_);
    } else {
        *text_ += null_element;
    }
}

void Row::clear() {
    text_.clear();
    fields_.clear();
}

void Row::add(const Value& value) {
    if (!value.text()) {
        add(std::nullopt);
        return;
    }
    begin(Kind::text);
    text_ += *value.text();
    end();
}

void Row::add_array(std::string_view numbers) {
    begin(Kind::plain);
    text_ += '{';
    text_ += numbers;
    text_ += '}';
    end();
}

void Row::append_line(std::string& line) const {
    std::string_view separator;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        line += separator;
        separator = "\t";
        switch (fields_[i].kind) {
            case Kind::null:
                line += "\\N";
                break;
            case Kind::plain:
                line += field(i);
                break;
            case Kind::text:
                append_escaped(line, field(i));
                break;
        }
    }
}

void Row::append_element(std::string& array, std::size_t index) const {
    switch (fields_[index].kind) {
        case Kind::null:
            array += null_element;
            break;
        case Kind::plain:
        case Kind::text:
            append_quoted(array, field(index));
            break;
    }
}

std::string_view Row::field(std::size_t index) const {
    const auto next = index + 1 < fields_.size() ? fields_[index + 1].begin : text_.size();
    const auto begin = fields_[index].begin;
    return std::string_view{text_}.substr(begin, next - begin - 1);
}

}  // namespace heiasync::history
