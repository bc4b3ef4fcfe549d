#pragma once

#include "command_line.hpp"
#include "config/config.hpp"
#include "core/clock.hpp"
#include "history/sync_runs.hpp"

#include <memory>
#include <optional>

namespace heiasync::commands {

/// The machine's clock, or that of a rehearsal.
std::unique_ptr<core::Clock> make_clock(const std::optional<SimulatedTime>& simulated);

/// Throws CommandError (64) for a rehearsal against a server that is not this machine's own.
void require_loopback(const config::Config& config);

/// A rehearsal must not touch a real history (64), nor may a real run go on in a rehearsal's (78). Throws CommandError.
void check_origin(history::Origin origin, bool rehearsal);

}  // namespace heiasync::commands
