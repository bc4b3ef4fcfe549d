#pragma once

namespace heiasync::core {

/// What the process ends with; the numbers are those of sysexits.h where it has one.
enum class ExitCode {
    done = 0,
    incomplete = 1,      ///< finished, but some organisation or report failed
    usage = 64,          ///< the command line is wrong
    unavailable = 69,    ///< API or database not reachable
    bug = 70,            ///< a bug of ours
    busy = 75,           ///< another run is going
    rejected = 77,       ///< the API rejected the credentials
    configuration = 78,  ///< configuration, or a schema that this version cannot use
    interrupted = 130,   ///< stopped by SIGINT
    terminated = 143     ///< stopped by SIGTERM
};

}  // namespace heiasync::core
