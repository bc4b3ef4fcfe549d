#include "idle.hpp"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace heiasync::bench {

namespace {

/// Where the daemon tells what it does, as systemd has it.
class Supervisor {
public:
    Supervisor() : descriptor_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
        const timeval patience{.tv_sec = 60, .tv_usec = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
            throw std::runtime_error{"no socket for the daemon to tell of itself"};
        }
    }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    ~Supervisor() {
        ::close(descriptor_);
        std::filesystem::remove(path_);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

    void wait_for(std::string_view text) const {
        std::array<char, 4096> buffer{};
        for (;;) {
            const auto length = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (length <= 0) {
                throw std::runtime_error{fmt::format("the daemon never said {}", text)};
            }
            if (std::string_view{buffer.data(), static_cast<std::size_t>(length)}.find(text) !=
                std::string_view::npos) {
                return;
            }
        }
    }

private:
    std::string path_ =
        (std::filesystem::temp_directory_path() / fmt::format("heiasync-bench-notify-{}", ::getpid())).string();
    int descriptor_;
};

/// A program that is ended with this.
class Daemon {
public:
    Daemon(std::vector<std::string> command, const Supervisor& supervisor) {
        ::setenv("NOTIFY_SOCKET", supervisor.path().c_str(), 1);
        std::vector<char*> arguments;
        for (std::string& word : command) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        const int failure = ::posix_spawn(&pid_, arguments[0], nullptr, nullptr, arguments.data(), environ);
        ::unsetenv("NOTIFY_SOCKET");
        if (failure != 0) {
            throw std::runtime_error{"the daemon could not be started"};
        }
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    ~Daemon() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }

    /// The sum of a field of its threads.
    [[nodiscard]] double of_threads(std::string_view field) const {
        double sum = 0;
        for (const auto& thread : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid_)}) {
            sum += field_of(thread.path() / "status", field);
        }
        return sum;
    }
    /// Bytes, of a field in kB.
    [[nodiscard]] double memory(std::string_view field) const {
        return field_of(fmt::format("/proc/{}/status", pid_), field) * 1024;
    }

private:
    static double field_of(const std::filesystem::path& file, std::string_view name) {
        std::ifstream fields{file};
        for (std::string line; std::getline(fields, line);) {
            if (line.starts_with(name)) {
                return std::stod(line.substr(name.size()));
            }
        }
        throw std::runtime_error{"the daemon has gone"};
    }

    pid_t pid_ = -1;
};

}  // namespace

Idle watch_idle(std::vector<std::string> command, std::chrono::seconds watched,
                const std::function<double()>& sessions) {
    const Supervisor supervisor;
    Idle idle;
    const auto begin = std::chrono::steady_clock::now();
    const Daemon daemon{std::move(command), supervisor};
    supervisor.wait_for("READY=1");
    idle.until_ready = std::chrono::steady_clock::now() - begin;
    supervisor.wait_for("STATUS=sync");
    supervisor.wait_for("STATUS=next run");
    // A connection to the API that may still be of use ends by itself in the minute after a run.
    std::this_thread::sleep_for(watched);
    constexpr std::string_view wake_ups = "voluntary_ctxt_switches:";
    const double before = daemon.of_threads(wake_ups);
    std::this_thread::sleep_for(watched);
    idle.wake_ups_a_minute = (daemon.of_threads(wake_ups) - before) / static_cast<double>(watched.count()) * 60;
    idle.resident = daemon.memory("VmRSS:");
    idle.own = daemon.memory("RssAnon:");
    idle.sessions = sessions();
    return idle;
}

}  // namespace heiasync::bench
