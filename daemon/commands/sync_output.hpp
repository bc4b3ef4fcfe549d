#pragma once

#include "progress.hpp"
#include "sync/dry_run.hpp"
#include "sync/run.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace heiasync::commands {

/// How far a run is, as it is shown.
Advance advance_of(const sync::Progress& progress);

/// What a run did, on stdout.
void print_summary(const sync::RunReport& report, const sync::Traffic& traffic);

/// The requests that a run would make, on stdout.
void print_dry_run(const sync::DryRun& plan);

/// What went wrong and what to do about it, on stderr; nothing where nothing did.
void complain(const sync::RunReport& report);
void complain(const sync::DryRun& plan);

}  // namespace heiasync::commands
