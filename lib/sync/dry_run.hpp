#pragma once

#include "sync/run.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::sync {

/// The requests that a run would make, each with its reason.
struct DryRun {
    struct Line {
        std::string request;  ///< `GET /admin/v1/documents/organisations/123/stats`
        std::string reason;
    };
    std::vector<Line> lines;
    std::string periods_reason;
    std::int64_t organisations = 0;
    std::vector<std::int64_t> not_listed;
    EarlyEnd early_end = EarlyEnd::none;
    std::optional<std::string> error;
};

/// Fetches the listing only and writes nothing. Without `has_schema` nothing is read either: nothing is stored yet.
boost::asio::awaitable<DryRun> dry_run(RunContext context, RunSettings settings, RunRequest request, bool has_schema);

}  // namespace heiasync::sync
