#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What we need to know of libpq's connection strings: where the passwords in them are.
namespace heiasync::config {

/// A part of a text.
struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

inline constexpr const char* expected_conninfo =
    "expected a URL, such as postgresql://host/database, or settings of libpq, such as host=... dbname=...";

/// Where the passwords stand in a connection URL or in `key=value` settings, ascending. Throws std::invalid_argument,
/// with expected_conninfo, for a text that is neither, or one whose password is not encoded as a URL needs it.
std::vector<Span> find_passwords(std::string_view conninfo);

/// The same text with `***` for each password.
std::string mask_passwords(std::string_view conninfo);

}  // namespace heiasync::config
