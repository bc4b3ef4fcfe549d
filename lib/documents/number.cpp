#include "documents/number.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace heiasync::documents {

namespace {

/// Far beyond every limit here, and far from an overflow of what is added to it.
constexpr std::int64_t exponent_limit = 1'000'000'000;

struct Decimal {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
    std::int64_t exponent = 0;  ///< within +-exponent_limit
};

std::string_view take_digits(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; });
    const auto count = static_cast<std::size_t>(end - text.begin());
    const auto digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
}

bool take(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> take_exponent(std::string_view& text) {
    const bool negative = take(text, '-');
    if (!negative) {
        take(text, '+');
    }
    const auto digits = take_digits(text);
    if (digits.empty()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    value = error == std::errc{} ? std::min(value, exponent_limit) : exponent_limit;
    return negative ? -value : value;
}

std::optional<Decimal> parse(std::string_view text) {
    Decimal decimal;
    decimal.negative = take(text, '-');
    decimal.whole = take_digits(text);
    if (decimal.whole.empty() || (decimal.whole.size() > 1 && decimal.whole.front() == '0')) {
        return std::nullopt;
    }
    if (take(text, '.')) {
        decimal.fraction = take_digits(text);
        if (decimal.fraction.empty()) {
            return std::nullopt;
        }
    }
    if (take(text, 'e') || take(text, 'E')) {
        const auto exponent = take_exponent(text);
        if (!exponent) {
            return std::nullopt;
        }
        decimal.exponent = *exponent;
    }
    return text.empty() ? std::optional{decimal} : std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional{value} : std::nullopt;
}

/// The integer of a number with a fraction or an exponent.
std::optional<std::int64_t> to_integer(const Decimal& decimal) {
    constexpr std::int64_t most_digits = 19;
    std::string digits{decimal.whole};
    digits += decimal.fraction;
    const auto significant = digits.find_last_not_of('0');
    if (significant == std::string::npos) {
        return 0;
    }
    const auto zeros =
        decimal.exponent + static_cast<std::int64_t>(decimal.whole.size()) - static_cast<std::int64_t>(significant + 1);
    if (zeros < 0 || zeros > most_digits) {
        return std::nullopt;
    }
    digits.resize(significant + 1);
    digits.append(static_cast<std::size_t>(zeros), '0');
    return parse_integer((decimal.negative ? "-" : "") + digits);
}

}  // namespace

bool is_number(std::string_view text) noexcept {
    return parse(text).has_value();
}

std::optional<std::int64_t> to_integer(std::string_view number) {
    const auto digits = number.substr(number.starts_with('-') ? 1 : 0);
    if (!digits.starts_with('0')) {
        if (const auto value = parse_integer(number)) {
            return value;
        }
    }
    const auto decimal = parse(number);
    return decimal ? to_integer(*decimal) : std::nullopt;
}

std::optional<double> to_double(std::string_view number) noexcept {
    double value = 0;
    const auto* const end = number.data() + number.size();
    const auto [stopped, error] = std::from_chars(number.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional{value} : std::nullopt;
}

bool fits_numeric(std::string_view number) noexcept {
    constexpr std::int64_t most_before = 131'072;
    constexpr std::int64_t most_after = 16'383;
    const auto decimal = parse(number);
    return decimal && static_cast<std::int64_t>(decimal->whole.size()) + decimal->exponent <= most_before &&
           static_cast<std::int64_t>(decimal->fraction.size()) - decimal->exponent <= most_after;
}

}  // namespace heiasync::documents
