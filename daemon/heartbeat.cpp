#include "heartbeat.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <utility>

namespace heiasync {

Heartbeat::Heartbeat(const boost::asio::any_io_executor& executor, Supervisor& supervisor,
                     const service::CheckIns& check_ins, spdlog::logger& log, std::function<std::string()> summary)
    : supervisor_{supervisor}, check_ins_{check_ins}, log_{log}, summary_{std::move(summary)}, timer_{executor} {}

void Heartbeat::beat() {
    const auto interval = supervisor_.wants_to_hear_within();
    if (!interval) {
        return;
    }
    if (const auto late = check_ins_.late(); late.empty()) {
        standing_still_.has_ended(log_);
        supervisor_.status(summary_(), false);
        supervisor_.well();
    } else {
        const std::string what = fmt::format("standing still: {}", fmt::join(late, ", "));
        standing_still_.holds(log_, what + "; unless that ends soon, systemd starts the daemon anew");
        supervisor_.status(what, false);
    }
    timer_.expires_after(*interval);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            beat();
        }
    });
}

}  // namespace heiasync
