#pragma once

#include "config/config.hpp"
#include "history/run_lock.hpp"
#include "http/client.hpp"
#include "sync/run.hpp"

#include <string>

namespace spdlog {
class logger;
}

namespace heiasync::commands {

sync::PeriodSettings period_settings(const config::Config& config);

sync::RunSettings run_settings(const config::Config& config, bool rehearsal);

/// This process, as the one that takes the run lock.
history::LockTaker lock_taker(std::string purpose, core::Instant taken_at);

/// Counts what the client does, and logs each attempt. Both must outlive the client.
http::ClientSettings watched_client_settings(const config::Api& api, sync::Traffic& traffic, spdlog::logger& log);

}  // namespace heiasync::commands
