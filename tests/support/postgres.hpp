#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// A private PostgreSQL for a test program, by the recipe of scripts/lib/postgres.sh: it listens on a socket of its own
/// only, logs every statement, and ends with the program, however that ends. Databases are cheap: one a test.
class PostgresServer {
public:
    /// Started with the first call, stopped and removed when the program exits.
    static PostgresServer& shared();

    PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer();

    /// The URL of a new database without a schema.
    std::string create_database();
    /// The same in another encoding than UTF8.
    std::string create_database_in(std::string_view encoding);
    /// The URL of a new database with the newest schema.
    std::string create_migrated_database();
    /// The same database as another role.
    static std::string as_role(const std::string& url, std::string_view role);

    /// Ends with a signal: SIGINT ends it in order, SIGKILL as a crash of it does. Its data stay.
    void stop(int signal);
    /// Starts it again, and waits until it answers.
    void start();

    /// What the server has logged so far.
    [[nodiscard]] std::string log() const;
    /// The file that it logs to.
    [[nodiscard]] const std::filesystem::path& log_file() const { return log_file_; }

private:
    std::string url(std::string_view database) const;
    std::string create_database_with(std::string_view options);

    std::filesystem::path directory_;
    std::filesystem::path log_file_;
    pid_t server_ = -1;
    int databases_ = 0;
    bool template_is_migrated_ = false;
};

/// What a statement answers, as text; NULL is `NULL`. A connection of its own, nothing of the program's.
std::vector<std::vector<std::string>> query(const std::string& url, const std::string& sql);
/// The one value that a statement answers.
std::string query_value(const std::string& url, const std::string& sql);

}  // namespace heiasync::testing
