#include "support/postgres.hpp"

#include "core/clock.hpp"
#include "history/migrations.hpp"

#include <libpq-fe.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <pqxx/pqxx>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

namespace heiasync::testing {
namespace {

constexpr std::string_view migrated_template = "migrated_template";

std::filesystem::path make_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "heiasync-postgres-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
        throw std::runtime_error{"no folder for PostgreSQL"};
    }
    // The server may run as another user, who must be able to reach it.
    std::filesystem::permissions(path, std::filesystem::perms{0755});
    return path;
}

/// Runs a function of the script in a shell.
pid_t spawn(const std::string& function, const std::filesystem::path& directory,
            const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        "sh", "-c", R"(. "$0" && "$@")", HEIASYNC_POSTGRES_SCRIPT, function, directory.string()};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    pid_t child = -1;
    if (posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments.data(), environ) != 0) {
        throw std::runtime_error{"no shell"};
    }
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    return status;
}

void run(const std::string& url, const std::string& sql) {
    pqxx::connection connection{url};
    pqxx::nontransaction work{connection};
    work.exec(sql);
}

}  // namespace

PostgresServer& PostgresServer::shared() {
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer(Durability durability)
    : PostgresServer{"init_scratch_postgres",
                     {},
                     durability == Durability::none
                         ? std::vector<std::string>{}
                         : std::vector<std::string>{"-c", "fsync=on", "-c", "synchronous_commit=on", "-c",
                                                    "full_page_writes=on"}} {}

PostgresServer::PostgresServer(const std::string& make, const std::vector<std::string>& arguments,
                               std::vector<std::string> options)
    : directory_{make_directory()}, log_file_{directory_ / "server.log"}, options_{std::move(options)} {
    if (wait_for(spawn(make, directory_, arguments)) != 0) {
        throw std::runtime_error{"PostgreSQL has no data folder"};
    }
    start();
}

std::unique_ptr<PostgresServer> PostgresServer::standby() const {
    return std::unique_ptr<PostgresServer>{
        new PostgresServer{"copy_scratch_postgres", {directory_.string()}, options_}};
}

void PostgresServer::promote() const {
    run(url("postgres"), "SELECT pg_promote()");
}

void PostgresServer::start() {
    constexpr int tries = 100;
    server_ = spawn("exec_scratch_postgres", directory_, options_);
    const std::string server_url = url("postgres");
    for (int failures = 0; PQping(server_url.c_str()) != PQPING_OK;) {
        int status = 0;
        if (waitpid(server_, &status, WNOHANG) == server_) {
            // After a crash the processes that are left must have noticed it.
            if (++failures == tries) {
                server_ = -1;
                throw std::runtime_error{"PostgreSQL did not start: " + log()};
            }
            server_ = spawn("exec_scratch_postgres", directory_, options_);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

void PostgresServer::stop(int signal) {
    if (server_ != -1) {
        kill(server_, signal);
        wait_for(server_);
        server_ = -1;
    }
}

PostgresServer::~PostgresServer() {
    stop(SIGINT);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string PostgresServer::url(std::string_view database) const {
    return fmt::format("postgresql:///{}?host={}&user=postgres", database, directory_.string());
}

std::string PostgresServer::same_database(const std::string& url_elsewhere) const {
    const auto name = url_elsewhere.find_last_of('/', url_elsewhere.find('?')) + 1;
    return url(url_elsewhere.substr(name, url_elsewhere.find('?') - name));
}

std::string PostgresServer::either_of(const std::string& url_elsewhere) const {
    std::string both = url_elsewhere;
    return both.insert(both.find("&user="), "," + directory_.string());
}

std::string PostgresServer::create_database_with(std::string_view options) {
    const std::string name = fmt::format("test_{}", ++databases_);
    run(url("postgres"), fmt::format("CREATE DATABASE {} STRATEGY file_copy {}", name, options));
    return url(name);
}

std::string PostgresServer::create_database() {
    return create_database_with("TEMPLATE template1");
}

std::string PostgresServer::create_database_in(std::string_view encoding) {
    return create_database_with(fmt::format("TEMPLATE template0 ENCODING '{}' LC_COLLATE 'C' LC_CTYPE 'C'", encoding));
}

std::string PostgresServer::create_migrated_database() {
    if (!template_is_migrated_) {
        run(url("postgres"), fmt::format("CREATE DATABASE {}", migrated_template));
        const core::SystemClock clock;
        const auto now = [&clock] { return clock.now(); };
        history::migrate(url(migrated_template), history::embedded_migrations(), {}, now);
        template_is_migrated_ = true;
    }
    return create_database_with(fmt::format("TEMPLATE {}", migrated_template));
}

std::string PostgresServer::as_role(const std::string& url, std::string_view role) {
    const std::string owner = "user=postgres";
    return std::string{url}.replace(url.rfind(owner), owner.size(), fmt::format("user={}", role));
}

std::string PostgresServer::log() const {
    std::ifstream file{log_file_, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::vector<std::vector<std::string>> query(const std::string& url, const std::string& sql) {
    pqxx::connection connection{url};
    pqxx::nontransaction work{connection};
    work.exec("SET TimeZone = 'UTC'");
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : work.exec(sql)) {
        auto& fields = rows.emplace_back();
        for (const auto& field : row) {
            fields.emplace_back(field.is_null() ? "NULL" : field.c_str());
        }
    }
    return rows;
}

std::string query_value(const std::string& url, const std::string& sql) {
    return query(url, sql).at(0).at(0);
}

}  // namespace heiasync::testing
