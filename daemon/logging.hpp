#pragma once

#include "config/config.hpp"

#include <spdlog/logger.h>

#include <memory>

namespace heiasync {

/// A logger that writes to stderr: a line a message, as text or as a JSON object with the keys time, level and message.
std::shared_ptr<spdlog::logger> make_logger(const config::Log& settings, bool quiet);

/// Makes a logger say what it says as other settings have it.
void reconfigure(spdlog::logger& logger, const config::Log& settings, bool quiet);

}  // namespace heiasync
