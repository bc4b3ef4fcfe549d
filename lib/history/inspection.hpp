#pragma once

#include "core/instant.hpp"

#include <optional>
#include <string>
#include <vector>

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

/// Which of these time zones the server does not know: its tz database may be older than this program's. The schema
/// works out slots and ends of dates by it: sync_gaps, ready() and complete() fail without. Blocks. Throws
/// DatabaseError.
std::vector<std::string> unknown_time_zones(const std::string& url, const std::vector<std::string>& names);

}  // namespace heiasync::history
