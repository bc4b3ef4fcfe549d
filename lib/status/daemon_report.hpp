#pragma once

#include "core/instant.hpp"
#include "core/json.hpp"
#include "history/standing.hpp"
#include "service/state.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace date {
class time_zone;
}

namespace heiasync::status {

/// A state of the world that hinders the daemon (service::State).
struct Hindrance {
    std::string condition;  ///< `database`, `lock`, `api`, `credentials` or `clock`
    std::chrono::seconds lasting{0};
    std::string message;
};

/// What a daemon tells of itself.
struct DaemonReport {
    std::string version;
    core::Instant now{};                    ///< by its clock, which is that of a rehearsal there
    const date::time_zone* zone = nullptr;  ///< of the schedule in force
    std::optional<service::State::RunInHand> run;
    std::optional<core::Instant> next_run;
    service::State::Configuration configuration;
    std::vector<Hindrance> hindrances;  ///< those that hold
    history::Standing standing;         ///< of the ledger, at the last look; not read back
};

DaemonReport report_of(const service::State& state, std::string_view version, core::Instant now,
                       const date::time_zone& zone);

/// The document of `/api/v1/status`.
std::string to_json(const DaemonReport& report);

/// Reads such a document; nothing where it is any other.
std::optional<DaemonReport> parse_report(std::string_view json);

// The members that the document shares with what `heiasyncd status --json` and `heiasyncd why --json` print.
void write_run(core::Json& json, const std::optional<service::State::RunInHand>& run);
void write_next_run(core::Json& json, const std::optional<core::Instant>& next_run, const date::time_zone& zone);
void write_runs(core::Json& json, const std::vector<history::RunRecord>& runs);
void write_streams(core::Json& json, const std::map<history::Stream, std::optional<core::Instant>>& last_successes,
                   const std::map<history::Stream, history::GapCount>& gaps);
void write_configuration(core::Json& json, const service::State::Configuration& configuration);
void write_hindrances(core::Json& json, const std::vector<Hindrance>& hindrances);

}  // namespace heiasync::status
