#pragma once

// Internal to this room: values in the text form that PostgreSQL reads.

#include "core/instant.hpp"

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {

/// The text with NUL, and with bytes that are no UTF-8, replaced by U+FFFD: what PostgreSQL's text can hold.
std::string storable_text(std::string_view text);

/// The first `size` bytes of the text, or a few less where a character would be cut in two.
std::string_view prefix(std::string_view text, std::size_t size);

// Appends a value.
template <std::integral Integer>
requires(!std::same_as<Integer, bool>) void append_text(std::string& result, Integer value) {
    const fmt::format_int digits{value};
    result.append(digits.data(), digits.size());
}
template <std::same_as<bool> Boolean>
void append_text(std::string& result, Boolean value) {
    result += value ? 't' : 'f';
}
void append_text(std::string& result, double value);
void append_text(std::string& result, std::string_view value);  ///< made storable
void append_text(std::string& result, core::Instant value);
void append_text(std::string& result, core::Date value);

template <class T>
concept Storable = requires(std::string& result, const T& value) {
    append_text(result, value);
};

/// A value; or NULL.
class Value {
public:
    // NOLINTBEGIN(google-explicit-constructor): whatever can be stored converts to it.
    template <Storable T>
    Value(const T& value) {
        append_text(text_.emplace(), value);
    }
    Value(std::nullopt_t) {}
    template <class T>
    Value(const std::optional<T>& value) : text_{value ? Value{*value}.text_ : std::nullopt} {}
    // NOLINTEND(google-explicit-constructor)

    /// Text that is known to be storable.
    static Value verbatim(std::string_view value);
    /// bytea.
    static Value bytes(std::string_view value);

    /// An array of whatever `element` makes of each.
    template <class Range, class Function>
    static Value array(const Range& range, Function element) {
        Value result;
        result.text_ = "{";
        for (const auto& item : range) {
            result.append_element(element(item));
        }
        result.text_->push_back('}');
        return result;
    }
    template <class Range>
    static Value array(const Range& range) {
        return array(range, [](const auto& item) { return Value{item}; });
    }

    [[nodiscard]] const std::optional<std::string>& text() const { return text_; }

private:
    Value() = default;
    void append_element(const Value& element);

    std::optional<std::string> text_;
};

/// Values side by side in memory that is used again: a row of COPY, or the parameters of a statement.
class Row {
public:
    template <class... Values>
    explicit Row(const Values&... values) {
        add(values...);
    }

    void clear();

    template <class... Values>
    requires(sizeof...(Values) != 1) void add(const Values&... values) { (add(values), ...); }
    template <Storable T>
    void add(const T& value) {
        begin(std::convertible_to<T, std::string_view> ? Kind::text : Kind::plain);
        append_text(text_, value);
        end();
    }
    void add(std::nullopt_t /*null*/) { begin(Kind::null); }
    template <class T>
    void add(const std::optional<T>& value) {
        value ? add(*value) : add(std::nullopt);
    }
    void add(const Value& value);
    /// An array of numbers, by their text with commas between.
    void add_array(std::string_view numbers);
    template <std::integral Integer>
    void add_array(const std::vector<Integer>& numbers) {
        begin(Kind::plain);
        text_ += '{';
        for (const Integer number : numbers) {
            append_text(text_, number);
            text_ += ',';
        }
        if (!numbers.empty()) {
            text_.pop_back();
        }
        text_ += '}';
        end();
    }

    [[nodiscard]] std::size_t size() const { return fields_.size(); }
    /// Ends with NUL; nullptr for NULL.
    [[nodiscard]] const char* operator[](std::size_t index) const {
        return fields_[index].kind == Kind::null ? nullptr : text_.data() + fields_[index].begin;
    }

    /// Appends the row as a line of COPY, without its end.
    void append_line(std::string& line) const;
    /// Appends a field as an element of an array.
    void append_element(std::string& array, std::size_t index) const;

private:
    enum class Kind { null, plain, text };  ///< plain: nothing in it is special to COPY
    struct Field {
        std::size_t begin;
        Kind kind;
    };

    void begin(Kind kind) { fields_.push_back({text_.size(), kind}); }
    void end() { text_ += '\0'; }
    [[nodiscard]] std::string_view field(std::size_t index) const;

    std::string text_;  ///< NUL behind each field
    std::vector<Field> fields_;
};

}  // namespace heiasync::history
