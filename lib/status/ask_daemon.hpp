#pragma once

#include "status/daemon_report.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace heiasync::status {

/// Asks the daemon whose status endpoint listens at `host:port`. Nothing where none answers within two seconds, or
/// where what answers is no daemon.
boost::asio::awaitable<std::optional<DaemonReport>> ask_daemon(std::string address);

}  // namespace heiasync::status
