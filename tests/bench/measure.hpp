#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace heiasync::bench {

/// What a program took from its start to its end.
struct Cost {
    std::chrono::duration<double> wall{0};
    std::chrono::duration<double> cpu{0};  ///< user and system
    double peak_memory = 0;                ///< in bytes
};

/// Runs a program to its end. Throws std::runtime_error unless its exit code is 0.
Cost run(const std::vector<std::string>& command);

/// What run() starts: a process of its own between, because a program's peak memory is never less than that of the one
/// that started it. Runs argv[2...] and prints what it cost.
int run_as_launcher(char** argv);
inline constexpr const char* launcher_option = "--launcher";

/// CPU time of the calling thread so far.
std::chrono::duration<double> cpu_of_thread();

/// CPU time of another process so far, whatever else the machine does.
std::chrono::duration<double> cpu_of_process(pid_t process);

/// CPU time of a PostgreSQL server and its processes so far, those that have ended included.
std::chrono::duration<double> cpu_of_server(pid_t postmaster);

}  // namespace heiasync::bench
