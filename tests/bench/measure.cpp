#include "measure.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace heiasync::bench {

namespace {

std::chrono::duration<double> seconds(const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

std::chrono::duration<double> cpu_of(const rusage& usage) {
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// User and system time of a process and of its children that have ended.
double ticks_of(pid_t process) {
    std::ifstream file{fmt::format("/proc/{}/stat", process)};
    // The name stands in parentheses and may hold anything.
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::istringstream fields{text.substr(text.rfind(')') + 1)};
    constexpr int before = 11;
    constexpr int times = 4;
    std::string field;
    double ticks = 0;
    for (int number = 0; number < before + times && fields >> field; ++number) {
        ticks += number < before ? 0 : std::stod(field);
    }
    return ticks;
}

}  // namespace

Cost run(const std::vector<std::string>& command) {
    std::string line =
        fmt::format("exec '{}' {}", std::filesystem::read_symlink("/proc/self/exe").string(), launcher_option);
    for (const auto& word : command) {
        line += fmt::format(" '{}'", word);
    }
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output{::popen(line.c_str(), "re"), &::pclose};
    double wall = 0;
    double cpu = 0;
    double peak_memory = 0;
    if (!output || std::fscanf(output.get(), "%lf %lf %lf", &wall, &cpu, &peak_memory) != 3) {
        throw std::runtime_error{fmt::format("failed: {}", fmt::join(command, " "))};
    }
    return {std::chrono::duration<double>{wall}, std::chrono::duration<double>{cpu}, peak_memory};
}

int run_as_launcher(char** argv) {
    char** const command = argv + 2;
    const auto begin = std::chrono::steady_clock::now();
    posix_spawn_file_actions_t silence{};
    ::posix_spawn_file_actions_init(&silence);
    ::posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = -1;
    if (::posix_spawn(&child, command[0], &silence, nullptr, command, environ) != 0) {
        return EXIT_FAILURE;
    }
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    if (status != 0) {
        return EXIT_FAILURE;
    }
    std::cout << fmt::format("{} {} {}\n", wall.count(), cpu_of(usage).count(),
                             static_cast<double>(usage.ru_maxrss) * 1024);
    return EXIT_SUCCESS;
}

std::chrono::duration<double> cpu_of_thread() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return cpu_of(usage);
}

std::chrono::duration<double> cpu_of_process(pid_t process) {
    std::ifstream scheduling{fmt::format("/proc/{}/schedstat", process)};
    std::int64_t running = 0;
    if (!(scheduling >> running)) {
        throw std::runtime_error{"the kernel tells no CPU time of a process to the nanosecond"};
    }
    return std::chrono::nanoseconds{running};
}

std::chrono::duration<double> cpu_of_server(pid_t postmaster) {
    double ticks = ticks_of(postmaster);
    std::ifstream children{fmt::format("/proc/{0}/task/{0}/children", postmaster)};
    for (pid_t child = 0; children >> child;) {
        ticks += ticks_of(child);
    }
    return std::chrono::duration<double>{ticks / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

}  // namespace heiasync::bench
