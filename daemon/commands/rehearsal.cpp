#include "commands/rehearsal.hpp"

#include "commands/schema.hpp"
#include "http/url.hpp"

namespace heiasync::commands {

std::unique_ptr<core::Clock> make_clock(const std::optional<SimulatedTime>& simulated) {
    if (!simulated) {
        return std::make_unique<core::SystemClock>();
    }
    if (simulated->jump) {
        return std::make_unique<core::JumpingClock>(simulated->start);
    }
    return std::make_unique<core::SimulatedClock>(simulated->start, simulated->rate);
}

void require_loopback(const config::Config& config) {
    if (!http::parse_url(config.api.base_url).origin.loopback()) {
        throw CommandError{core::ExitCode::usage, "--simulated-time needs an api.base_url with a loopback address"};
    }
}

void check_origin(history::Origin origin, bool rehearsal) {
    if (!rehearsal && origin == history::Origin::rehearsal) {
        throw CommandError{core::ExitCode::configuration,
                           "this database was born in a rehearsal (--simulated-time); use another database.url"};
    }
    if (rehearsal && origin == history::Origin::real) {
        throw CommandError{
            core::ExitCode::usage,
            "--simulated-time needs an empty database or one born in a rehearsal; this one has real history"};
    }
}

}  // namespace heiasync::commands
