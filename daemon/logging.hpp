#pragma once

#include "config/config.hpp"

#include <spdlog/logger.h>

#include <memory>
#include <string>

namespace heiasync {

/// A logger that writes to stderr: a line a message, as text or as a JSON object with the keys time, level and message.
/// Where stderr is the journal ($JOURNAL_STREAM) each line begins with its level as that reads it (sd-daemon(3)), and
/// text is the message alone.
std::shared_ptr<spdlog::logger> make_logger(const config::Log& settings, bool quiet);

/// Makes a logger say what it says as other settings have it.
void reconfigure(spdlog::logger& logger, const config::Log& settings, bool quiet);

/// The same for who has no logger yet: an error, a line or more, to stderr.
void complain(const std::string& lines);

}  // namespace heiasync
