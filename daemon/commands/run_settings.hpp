#pragma once

#include "config/config.hpp"
#include "http/client.hpp"
#include "sync/run.hpp"

namespace spdlog {
class logger;
}

namespace heiasync::commands {

sync::PeriodSettings period_settings(const config::Config& config);

sync::RunSettings run_settings(const config::Config& config, bool rehearsal);

/// Counts what the client does, and logs each attempt. Both must outlive the client.
http::ClientSettings watched_client_settings(const config::Api& api, sync::Traffic& traffic, spdlog::logger& log);

}  // namespace heiasync::commands
