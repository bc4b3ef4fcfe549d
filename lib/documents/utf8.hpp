#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heiasync::documents {

/// What stands where a character cannot be stored: U+FFFD.
constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// How many bytes the UTF-8 sequence takes that its first byte announces: 2 to 4, or 0 where it announces none.
[[nodiscard]] std::size_t announced_length(char first) noexcept;

/// The length of the valid sequence of 2 to 4 bytes that `text` begins with (RFC 3629: neither overlong forms nor
/// surrogates nor anything above U+10FFFF), or 0.
[[nodiscard]] std::size_t sequence_length(std::string_view text) noexcept;

/// The text with U+FFFD for each byte that is no UTF-8: for names of files and what others say in their own language.
[[nodiscard]] std::string as_utf8(std::string_view text);

/// Appends a code point that is no surrogate.
void append_utf8(std::string& text, char32_t code_point);

}  // namespace heiasync::documents
