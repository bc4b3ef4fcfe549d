#pragma once

#include "core/instant.hpp"

#include <optional>
#include <string>

namespace heiasync::history {

/// What a database is, seen by a role that logs in to it.
struct Inspection {
    int version_number = 0;  ///< `150006` for 15.6
    std::string version;     ///< `15.6 (Debian 15.6-0+deb12u1)`
    std::string encoding;    ///< `UTF8`
    std::string role;
    bool may_migrate = false;       ///< owns the schema `heiasync`; where there is none: may create it
    std::optional<bool> may_store;  ///< insert a run; unset where there is no ledger to insert it into
    core::Instant now{};            ///< the server's clock
};

/// Looks, and changes nothing. Blocks. Throws DatabaseError.
Inspection inspect(const std::string& url);

}  // namespace heiasync::history
