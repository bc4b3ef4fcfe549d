#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace heiasync::bench {

/// Whole HTTP answers, by the path that is asked for; those of a page that is not the first by path and number:
/// `/admin/v1/documents/organisations 2`. Each has room for a date behind `date_prefix`.
using Answers = std::unordered_map<std::string, std::string>;

inline constexpr std::string_view date_prefix = "HTTP/1.1 200 OK\r\nDate: ";
inline constexpr std::string_view date_example = "Mon, 01 Jun 2026 01:35:00 GMT";

/// An API of organisations that all have members enough for energy levels and one viewed report. Their documents are
/// all different, each of about `document_size` bytes, or as short as the simulator can make it.
Answers make_answers(std::size_t organisations, std::size_t document_size);

/// The same answer to everything that was not prepared.
std::string make_answer(std::string_view body);

std::string_view body_of(std::string_view answer);

}  // namespace heiasync::bench
