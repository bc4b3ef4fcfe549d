#pragma once

#include "core/instant.hpp"

#include <optional>
#include <string_view>

namespace heiasync::http {

/// Reads a date as HTTP headers carry it (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, or one of the
/// obsolete forms `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The name of the weekday is not
/// compared with the date. A year of two digits means the latest year with these digits that is not more than 50 years
/// after `now`. None for anything else.
std::optional<core::Instant> parse_http_date(std::string_view text, core::Instant now);

}  // namespace heiasync::http
