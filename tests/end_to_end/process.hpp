#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// The heiasyncd that is tested: that of this build or, under a sanitizer, the one that $HEIASYNC_PROGRAM names.
std::string program();
/// Whether it is another build's: nothing can be loaded into it before the library of its sanitizer.
bool is_sanitized();

/// How a program ended, and what it printed.
struct Outcome {
    int exit_code = 0;  ///< 128 + its number where a signal ended it
    std::string out;
    std::string err;
};

/// For the message of an assertion.
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

/// Added to the environment that the program inherits. What would configure it from outside the test (PG*, proxies,
/// HEIASYNC_CONFIG, CREDENTIALS_DIRECTORY) is not inherited.
using Environment = std::map<std::string, std::string>;

/// A program about to be started: what its descriptors are. All of these throw std::system_error.
class Spawn {
public:
    Spawn();
    Spawn(const Spawn&) = delete;
    Spawn& operator=(const Spawn&) = delete;
    ~Spawn();

    void open(int descriptor, const char* path, int flags);
    void duplicate(int from, int to);
    /// Leads a session of its own.
    void new_session();
    pid_t start(std::vector<std::string> command, const Environment& environment);

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

/// A program that runs beside the test, with an empty stdin.
class Process {
public:
    /// Throws std::system_error where it cannot be started.
    explicit Process(const std::vector<std::string>& command, const Environment& environment = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    void signal(int number) const;
    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Reads its stderr until it has said this after what was waited for before. Throws std::runtime_error where that
    /// takes a minute or the stream ends first.
    void wait_for_err(std::string_view text);

    /// Reads the first line of its stdout, or what there is of it where it ends before; once, and before wait().
    std::string first_line();

    /// Until it has ended. Throws std::runtime_error, having killed it, where that takes longer than `limit`.
    Outcome wait(std::chrono::seconds limit = std::chrono::seconds{120});

private:
    pid_t pid_ = 0;
    int out_ = -1;
    int err_ = -1;
    std::string out_so_far_;
    std::string err_so_far_;
    std::size_t err_seen_ = 0;
};

/// Everything that any program printed so far, for what must never be printed.
const std::string& transcript();
void add_to_transcript(std::string_view text);

}  // namespace heiasync::testing
