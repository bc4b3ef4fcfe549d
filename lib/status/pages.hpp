#pragma once

#include "service/state.hpp"
#include "status/daemon_report.hpp"
#include "status/respond.hpp"

#include <chrono>

namespace heiasync::status {

/// `/`, for people: what the daemon does and what hinders it, in HTML, and the way to the other pages.
Response front_page(const DaemonReport& report);

/// `/api/v1/status`.
Response status_page(const DaemonReport& report);

/// `/healthz`: 503 where a part of the daemon stands still.
Response health_page(const service::CheckIns& check_ins);

/// `/readyz`: 200 where the last look found the database reachable and its schema usable, 503 where not.
Response readiness_page(const service::State& state,
                        std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

/// `/metrics`, given their text.
Response metrics_page(std::string text);

}  // namespace heiasync::status
