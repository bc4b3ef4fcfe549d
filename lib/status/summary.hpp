#pragma once

#include "status/daemon_report.hpp"

#include <string>

namespace heiasync::status {

/// What the daemon is doing, in one line for `systemctl status`: `sync 412/1034, 0 failed`, `next run Tue 04:30 EET`,
/// `database away for 3 min, trying`.
std::string summary(const DaemonReport& report);

}  // namespace heiasync::status
