#pragma once

#include "config/config.hpp"
#include "core/instant.hpp"
#include "history/standing.hpp"

namespace heiasync::commands {

/// How things stand by the ledger and by the configuration in force.
history::Standing standing(history::Transaction& transaction, const config::Config& config, bool rehearsal,
                           core::Instant now, history::GapCounter& gaps);

}  // namespace heiasync::commands
