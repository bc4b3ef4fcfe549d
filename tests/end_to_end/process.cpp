#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace heiasync::testing {

namespace {

std::string& all_that_was_printed() {
    static std::string text;
    return text;
}

/// Processes may be waited for in several threads.
std::mutex printing;

void check(int error, const char* what) {
    if (error != 0) {
        throw std::system_error{error, std::generic_category(), what};
    }
}

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    return {ends[0], ends[1]};
}

bool configures_from_outside(std::string_view variable) {
    constexpr std::array<std::string_view, 2> names{"HEIASYNC_CONFIG", "CREDENTIALS_DIRECTORY"};
    const auto name = variable.substr(0, variable.find('='));
    return std::ranges::find(names, name) != names.end() || name.starts_with("PG") || name.ends_with("_proxy") ||
           name.ends_with("_PROXY");
}

std::vector<std::string> environment_with(const Environment& additions) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text{*variable};
        if (!configures_from_outside(text) && !additions.contains(std::string{text.substr(0, text.find('='))})) {
            variables.emplace_back(*variable);
        }
    }
    for (const auto& [name, value] : additions) {
        variables.push_back(fmt::format("{}={}", name, value));
    }
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

void close_if_open(int& descriptor) {
    if (descriptor >= 0) {
        ::close(std::exchange(descriptor, -1));
    }
}

/// Appends what can be read. False at the end of the stream.
bool read_some(int descriptor, std::string& text) {
    std::array<char, 65536> buffer{};
    const auto count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

}  // namespace

std::string program() {
    const char* const other = std::getenv("HEIASYNC_PROGRAM");  // NOLINT(concurrency-mt-unsafe)
    return other != nullptr ? other : HEIASYNCD;
}

bool is_sanitized() {
    return program() != HEIASYNCD;
}

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
    return stream << "exit code " << outcome.exit_code << "\nstdout:\n" << outcome.out << "stderr:\n" << outcome.err;
}

Spawn::Spawn() {
    check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
}

Spawn::~Spawn() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
}

void Spawn::open(int descriptor, const char* path, int flags) {
    check(::posix_spawn_file_actions_addopen(&actions_, descriptor, path, flags, 0), "posix_spawn");
}

void Spawn::duplicate(int from, int to) {
    check(::posix_spawn_file_actions_adddup2(&actions_, from, to), "posix_spawn");
}

void Spawn::new_session() {
    check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID), "posix_spawn");
}

pid_t Spawn::start(std::vector<std::string> command, const Environment& environment) {
    auto variables = environment_with(environment);
    pid_t pid = 0;
    check(::posix_spawn(&pid, command.front().c_str(), &actions_, &attributes_, pointers(command).data(),
                        pointers(variables).data()),
          command.front().c_str());
    return pid;
}

Process::Process(const std::vector<std::string>& command, const Environment& environment) {
    auto out = make_pipe();
    auto err = make_pipe();
    out_ = out.read_end;
    err_ = err.read_end;
    Spawn spawn;
    spawn.open(STDIN_FILENO, "/dev/null", O_RDONLY);
    spawn.duplicate(out.write_end, STDOUT_FILENO);
    spawn.duplicate(err.write_end, STDERR_FILENO);
    pid_ = spawn.start(command, environment);
    close_if_open(out.write_end);
    close_if_open(err.write_end);
}

Process::~Process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    close_if_open(out_);
    close_if_open(err_);
}

void Process::signal(int number) const {
    ::kill(pid_, number);
}

std::string Process::first_line() {
    while (out_so_far_.find('\n') == std::string::npos && read_some(out_, out_so_far_)) {
    }
    return out_so_far_.substr(0, out_so_far_.find('\n'));
}

void Process::wait_for_err(std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    std::size_t found = 0;
    while ((found = err_so_far_.find(text, err_seen_)) == std::string::npos) {
        pollfd stream{err_, POLLIN, 0};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0 || ::poll(&stream, 1, static_cast<int>(left.count())) <= 0 ||
            !read_some(err_, err_so_far_)) {
            throw std::runtime_error{fmt::format("it never said \"{}\", but:\n{}", text, err_so_far_)};
        }
    }
    err_seen_ = found + text.size();
}

Outcome Process::wait(std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    Outcome outcome;
    outcome.out = std::exchange(out_so_far_, {});
    outcome.err = std::exchange(err_so_far_, {});
    while (out_ >= 0 || err_ >= 0) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 2> streams{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
        const auto ready =
            left.count() <= 0 ? 0 : ::poll(streams.data(), streams.size(), static_cast<int>(left.count()));
        if (ready == 0) {
            ::kill(pid_, SIGKILL);
            throw std::runtime_error{fmt::format("still running after {} s; it had printed:\n{}{}", limit.count(),
                                                 outcome.out, outcome.err)};
        }
        if (streams[0].revents != 0 && !read_some(out_, outcome.out)) {
            close_if_open(out_);
        }
        if (streams[1].revents != 0 && !read_some(err_, outcome.err)) {
            close_if_open(err_);
        }
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    add_to_transcript(outcome.out + outcome.err);
    return outcome;
}

const std::string& transcript() {
    return all_that_was_printed();
}

void add_to_transcript(std::string_view text) {
    const std::scoped_lock lock{printing};
    all_that_was_printed() += text;
}

}  // namespace heiasync::testing
