#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace heiasync::testing {

/// Stands between a program and PostgreSQL and sees each COMMIT and COPY pass: the moment at which a test can let
/// something happen that no test can wait for otherwise.
class DatabaseProxy {
public:
    enum class Commit {
        pass,
        lost,       ///< the connection breaks before the server hears of it
        unanswered  ///< the server commits, and the connection breaks before the program hears of it
    };

    /// `decide` is called for each COMMIT, counted from 1, on a thread of the proxy; for `unanswered` `then` is called
    /// once the server has answered, for `lost` at once.
    struct Plan {
        std::function<Commit(std::size_t number)> decide;
        std::function<void()> then = [] {};
        /// Called before the first rows of each COPY pass.
        std::function<void()> at_rows = [] {};
    };

    /// To the server of `url`, whose host is the directory of its socket.
    DatabaseProxy(const std::string& url, Plan plan);
    DatabaseProxy(const DatabaseProxy&) = delete;
    DatabaseProxy& operator=(const DatabaseProxy&) = delete;
    ~DatabaseProxy();

    /// The same database, by way of the proxy.
    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] std::size_t commits() const;
    /// How often a program has connected, those included whom no server answered.
    [[nodiscard]] std::size_t connections() const { return connections_; }

private:
    struct Link;
    void accept();
    void carry(Link& link);
    bool carry_request(Link& link);

    Plan plan_;
    std::filesystem::path directory_;
    std::string server_socket_;
    std::string url_;
    int listener_ = -1;
    mutable std::mutex mutex_;
    std::size_t commits_ = 0;
    std::atomic<std::size_t> connections_ = 0;
    std::list<Link> links_;
    std::thread accepting_;
};

}  // namespace heiasync::testing
