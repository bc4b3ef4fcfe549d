#include "documents/utf8.hpp"

#include <algorithm>

namespace heiasync::documents {

namespace {

constexpr unsigned char byte(char c) {
    return static_cast<unsigned char>(c);
}

/// Where the second byte may begin and end: what keeps overlong forms and surrogates out.
constexpr bool is_second_byte(unsigned char first, unsigned char second) {
    switch (first) {
        case 0xE0:
            return second >= 0xA0 && second <= 0xBF;
        case 0xED:
            return second >= 0x80 && second <= 0x9F;
        case 0xF0:
            return second >= 0x90 && second <= 0xBF;
        case 0xF4:
            return second >= 0x80 && second <= 0x8F;
        default:
            return second >= 0x80 && second <= 0xBF;
    }
}

}  // namespace

std::size_t announced_length(char first) noexcept {
    const auto value = byte(first);
    if (value >= 0xC2 && value <= 0xDF) {
        return 2;
    }
    if (value >= 0xE0 && value <= 0xEF) {
        return 3;
    }
    return value >= 0xF0 && value <= 0xF4 ? 4 : 0;
}

std::size_t sequence_length(std::string_view text) noexcept {
    const auto length = text.empty() ? 0 : announced_length(text.front());
    if (length == 0 || text.size() < length || !is_second_byte(byte(text[0]), byte(text[1]))) {
        return 0;
    }
    const auto rest = text.substr(2, length - 2);
    return std::ranges::all_of(rest, [](char c) { return (byte(c) & 0xC0U) == 0x80U; }) ? length : 0;
}

std::string as_utf8(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = byte(text.front()) < 0x80U ? 1 : sequence_length(text);
        result += length > 0 ? text.substr(0, length) : replacement_character;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

void append_utf8(std::string& text, char32_t code_point) {
    const auto put = [&text](char32_t value) { text.push_back(static_cast<char>(value)); };
    const auto put_rest = [&put, code_point](unsigned shift) { put(0x80U | ((code_point >> shift) & 0x3FU)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0U | (code_point >> 6U));
        put_rest(0);
    } else if (code_point < 0x10000) {
        put(0xE0U | (code_point >> 12U));
        put_rest(6);
        put_rest(0);
    } else {
        put(0xF0U | (code_point >> 18U));
        put_rest(12);
        put_rest(6);
        put_rest(0);
    }
}

}  // namespace heiasync::documents
