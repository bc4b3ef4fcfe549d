#pragma once

#include "core/instant.hpp"
#include "history/sync_runs.hpp"
#include "service/condition.hpp"
#include "sync/run.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace heiasync::service {

/// What the daemon knows of itself, for those who show it. Written and read on the loop's thread alone.
struct State {
    /// The configuration in force.
    struct Configuration {
        core::Instant loaded_at{};
        bool last_reload_ok = true;  ///< true before the first reload
        std::optional<std::string> last_reload_error;
        core::Instant client_secret_loaded_at{};  ///< a secret of the environment or of systemd: at the start
        core::Instant magic_token_loaded_at{};
    };

    struct RunInHand {
        history::Trigger trigger = history::Trigger::manual;
        std::optional<core::Instant> scheduled_for;
        core::Instant started_at{};
        sync::Progress progress;
    };

    Configuration configuration;
    std::optional<RunInHand> run;
    /// When the next run is to start: a slot, or a retry. Stays at a slot that is due until that has its run. Unset
    /// until the ledger has been read.
    std::optional<core::Instant> next_run;

    Condition database{"the database is available again"};
    Condition lock{"the other process's run has ended"};
    Condition api{"the API is available again"};
    Condition credentials{"the API accepts the credentials again"};
    Condition clock{"the clocks agree again"};

    /// Called after what is here has changed; passing: only the progress of the run in hand. May be empty.
    std::function<void(bool passing)> on_change;
    void changed(bool passing = false) const {
        if (on_change) {
            on_change(passing);
        }
    }
};

}  // namespace heiasync::service
