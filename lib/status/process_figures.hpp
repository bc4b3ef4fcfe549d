#pragma once

namespace heiasync::status {

/// What the kernel says of this process, as Prometheus's client libraries name it; 0 where it does not say.
struct ProcessFigures {
    double cpu_seconds = 0;
    double open_fds = 0;
    double max_fds = 0;
    double virtual_memory_bytes = 0;
    double resident_memory_bytes = 0;
    double start_time_seconds = 0;
    double threads = 0;
};

ProcessFigures process_figures();

}  // namespace heiasync::status
