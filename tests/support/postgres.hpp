#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
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

    /// What is committed survives the processes of the server, and only with `safe` also the machine.
    enum class Durability { none, safe };

    explicit PostgresServer(Durability durability = Durability::none);
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer();

    /// A standby that follows this server, and has its databases.
    [[nodiscard]] std::unique_ptr<PostgresServer> standby() const;
    /// Makes a standby a server that takes writes.
    void promote() const;
    /// The URL of the database of the same name here.
    [[nodiscard]] std::string same_database(const std::string& url_elsewhere) const;
    /// The URL of the same database on whichever of the two servers takes writes.
    [[nodiscard]] std::string either_of(const std::string& url_elsewhere) const;

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
    PostgresServer(const std::string& make, const std::vector<std::string>& arguments,
                   std::vector<std::string> options);
    std::string url(std::string_view database) const;
    std::string create_database_with(std::string_view options);

    std::filesystem::path directory_;
    std::filesystem::path log_file_;
    std::vector<std::string> options_;  ///< of the program
    pid_t server_ = -1;
    int databases_ = 0;
    bool template_is_migrated_ = false;
};

/// What a statement answers, as text; NULL is `NULL`. A connection of its own, nothing of the program's.
std::vector<std::vector<std::string>> query(const std::string& url, const std::string& sql);
/// The one value that a statement answers.
std::string query_value(const std::string& url, const std::string& sql);

}  // namespace heiasync::testing
