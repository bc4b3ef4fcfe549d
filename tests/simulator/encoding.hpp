#pragma once

#include "simulator/protocol.hpp"

#include <string>
#include <string_view>

namespace heiasync::simulator {

/// An answer as bytes.
struct Encoded {
    std::string head;  ///< status line and fields, with the empty line
    std::string body;  ///< as it is sent: compressed and in chunks where that is wanted
};

Encoded encode(const Answer& answer, const HttpRequest& request, const Options& options);

/// As a header has it, in whole seconds: `Wed, 01 Jul 2026 01:30:00 GMT`.
std::string http_date(core::Instant at);

/// In gzip format. Throws std::runtime_error.
std::string gzip(std::string_view text);

}  // namespace heiasync::simulator
