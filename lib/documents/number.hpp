#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heiasync::documents {

/// Whether a text is a number as JSON writes it (RFC 8259).
[[nodiscard]] bool is_number(std::string_view text) noexcept;

/// The integer that a JSON number is, however it is written (`26`, `26.0`, `2.6e1`); nothing where it is none or does
/// not fit, so that nothing is ever lost, and where the text is no number.
[[nodiscard]] std::optional<std::int64_t> to_integer(std::string_view number);

/// The double nearest to a JSON number; nothing beyond a double's range.
[[nodiscard]] std::optional<double> to_double(std::string_view number) noexcept;

/// Whether PostgreSQL's numeric, and so its jsonb, can hold a JSON number: 131,072 digits before the decimal point and
/// 16,383 after it.
[[nodiscard]] bool fits_numeric(std::string_view number) noexcept;

}  // namespace heiasync::documents
