#pragma once

#include "core/instant.hpp"
#include "history/standing.hpp"
#include "history/sync_runs.hpp"
#include "service/check_in.hpp"
#include "service/condition.hpp"
#include "sync/run.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
        core::Instant progressed_at{};  ///< when a request was answered last, or an organisation done
        sync::Progress progress;
    };

    /// What became of the last look into the database.
    struct DatabaseLook {
        std::chrono::steady_clock::time_point at;
        std::optional<std::string> failure;  ///< it could not be reached, or its schema not be used
    };

    Configuration configuration;
    std::optional<RunInHand> run;
    /// When the next run is to start: a slot, or a retry. Stays at a slot that is due until that has its run. Unset
    /// until the ledger has been read.
    std::optional<core::Instant> next_run;
    /// By the last look into the ledger; unset until the first one.
    std::optional<history::Standing> standing;
    std::optional<DatabaseLook> database_look;

    CheckIns check_ins;

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

/// The conditions by name.
inline constexpr std::array<std::pair<std::string_view, Condition State::*>, 5> conditions{
    {{"database", &State::database},
     {"lock", &State::lock},
     {"api", &State::api},
     {"credentials", &State::credentials},
     {"clock", &State::clock}}};

}  // namespace heiasync::service
