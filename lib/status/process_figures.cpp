#include "status/process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace heiasync::status {

namespace {

/// The second word of the line of `/proc/stat` that begins with `btime`: when the machine was started.
double boot_time() {
    std::ifstream stat{"/proc/stat"};
    for (std::string line; std::getline(stat, line);) {
        if (line.starts_with("btime ")) {
            return std::stod(line.substr(6));
        }
    }
    return 0;
}

}  // namespace

ProcessFigures process_figures() {
    ProcessFigures figures;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        figures.max_fds = static_cast<double>(limit.rlim_cur);
    }
    std::error_code error;
    std::filesystem::directory_iterator descriptors{"/proc/self/fd", error};
    for (; !error && descriptors != std::filesystem::directory_iterator{}; descriptors.increment(error)) {
        ++figures.open_fds;
    }
    // proc(5): fields 14 and 15 are the ticks of CPU, 20 the threads, 22 the start in ticks since boot, 23 and 24 the
    // memory. The name of the program, field 2, may have blanks and brackets in it.
    std::ifstream stat{"/proc/self/stat"};
    std::string line;
    std::getline(stat, line);
    std::istringstream fields{line.substr(line.rfind(')') + 1)};
    const std::vector<std::string> values{std::istream_iterator<std::string>{fields}, {}};
    constexpr std::size_t first = 3;
    if (values.size() > 24 - first) {
        const auto field = [&values](std::size_t number) { return std::stod(values[number - first]); };
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        figures.cpu_seconds = (field(14) + field(15)) / ticks;
        figures.threads = field(20);
        static const double booted = boot_time();
        figures.start_time_seconds = booted + field(22) / ticks;
        figures.virtual_memory_bytes = field(23);
        figures.resident_memory_bytes = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    }
    return figures;
}

}  // namespace heiasync::status
