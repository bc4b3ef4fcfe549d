#include "installation.hpp"

#include "secrecy.hpp"
#include "support/postgres.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

namespace heiasync::testing {

namespace {

namespace fs = std::filesystem;

fs::path make_directory() {
    auto name = (fs::temp_directory_path() / "heiasync-end-to-end-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    return name;
}

std::string text_of(const pqxx::field& field) {
    return field.is_null() ? "NULL" : std::string{field.c_str(), field.size()};
}

/// What a simulator of this kind gives as its first tokens: its twin gives the same.
std::vector<std::string> first_tokens(const simulator::Options& options) {
    constexpr int enough = 8;
    const auto& credentials = options.credentials;
    const auto body = fmt::format(
        R"({{"grant_type":"magic_token","email":"{}","magic_token":"{}","client_id":"{}","client_secret":"{}"}})",
        credentials.email, credentials.magic_token, credentials.client_id, credentials.client_secret);
    simulator::Options same_seed;
    same_seed.seed = options.seed;
    same_seed.organisations = 1;
    same_seed.credentials = credentials;
    const simulator::Simulator twin{same_seed};

    std::vector<std::string> tokens;
    for (int number = 0; number < enough; ++number) {
        boost::asio::ip::tcp::iostream stream{"127.0.0.1", std::to_string(twin.port())};
        stream << "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: "
               << body.size() << "\r\n\r\n"
               << body << std::flush;
        const std::string answer{std::istreambuf_iterator<char>{stream}, {}};
        rapidjson::Document document;
        document.Parse(answer.substr(answer.find("\r\n\r\n") + 4).c_str());
        tokens.emplace_back(document["access_token"].GetString());
    }
    return tokens;
}

const std::vector<std::string>& tokens_of(const simulator::Options& options) {
    static std::map<std::uint64_t, std::vector<std::string>> cache;
    auto& tokens = cache[options.seed];
    if (tokens.empty()) {
        tokens = first_tokens(options);
    }
    return tokens;
}

}  // namespace

simulator::Options small_world() {
    simulator::Options options;
    options.seed = 1;
    options.organisations = 36;
    return options;
}

Installation::Installation(simulator::Options options, PostgresServer& server)
    : directory_{make_directory()}, api_{std::make_unique<simulator::Simulator>(options)} {
    database_url_ = server.create_database();
    write("client_secret", options.credentials.client_secret + "\n");
    write("magic_token", options.credentials.magic_token + "\n");
    config_["api"]["base_url"] = api_->base_url();
    config_["api"]["email"] = options.credentials.email;
    config_["api"]["client_id"] = options.credentials.client_id;
    config_["api"]["client_secret_file"] = (directory_ / "client_secret").string();
    config_["api"]["magic_token_file"] = (directory_ / "magic_token").string();
    config_["api"]["retry"]["attempts"] = 3;
    config_["api"]["retry"]["base_delay"] = "1ms";
    config_["api"]["retry"]["max_delay"] = "5ms";
    config_["database"]["url"] = database_url_;
    config_["status"]["listen"] = YAML::Null;
}

Installation::~Installation() {
    try {
        audit();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "the installation could not be looked through: " << error.what();
    }
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

void Installation::look_at(std::string database_url) {
    database_url_ = std::move(database_url);
    connection_.reset();
}

void Installation::audit() const {
    for (const auto& violation : api_->violations()) {
        EXPECT_TRUE(tolerated_.contains(violation.kind))
            << "the API complains: " << to_string(violation.kind) << ": " << violation.text;
    }
    if (!tolerated_.contains(simulator::Violation::Kind::concurrent_requests)) {
        EXPECT_LE(api_->max_in_flight(), 1U) << "the vendor wishes no concurrent calls";
    }

    SecretFinder secrets;
    const auto add = [&secrets](const std::string& secret) {
        secrets.add(secret);
        every_secret().add(secret);
    };
    const auto& credentials = api_->options().credentials;
    add(credentials.client_secret);
    add(credentials.magic_token);
    for (const auto& token : tokens_of(api_->options())) {
        add(token);
    }
    for (const auto& id : data_instance_ids()) {
        add(id);
    }
    for (const auto& row : dump({"report_sources"})) {
        EXPECT_EQ(secrets.find_in(row), std::set<std::string>{}) << "in table " << row.substr(0, row.find(' '));
    }
}

fs::path Installation::write(const std::string& name, std::string_view text) const {
    // Renamed, because a process that runs may be reading it.
    const auto path = directory_ / name;
    const auto draft = directory_ / (name + ".new");
    std::ofstream file{draft, std::ios::binary};
    fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write);
    file << text;
    file.close();
    if (!file) {
        throw std::runtime_error{fmt::format("{}: cannot be written", path.string())};
    }
    fs::rename(draft, path);
    return path;
}

std::vector<std::string> Installation::command(const std::vector<std::string>& arguments) const {
    write(config_file().filename(), YAML::Dump(config_) + "\n");
    std::vector<std::string> command{program(), "--config", config_file().string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

Outcome Installation::run(const std::vector<std::string>& arguments, const Environment& environment) const {
    return Process{command(arguments), environment}.wait();
}

Outcome Installation::sync_on(std::string_view summer_date, const std::vector<std::string>& arguments) {
    dates_.emplace(summer_date);
    std::vector<std::string> all{"sync", "--simulated-time", after_slot(summer_date)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(all);
}

Truth Installation::truth_on(std::string_view summer_date) const {
    return {api_->world(), instant_after_slot(summer_date)};
}

std::size_t Installation::requests(simulator::Operation operation) const {
    const auto requests = api_->requests();
    return static_cast<std::size_t>(std::ranges::count(requests, operation, &simulator::Request::operation));
}

void Installation::make_every_count_known(std::string_view summer_date) {
    for (const auto& line : truth_on(summer_date).unknown_count()) {
        const auto id = std::stoll(line);
        auto stats = api_->world().stats(id, {}, instant_after_slot(summer_date)).value();
        stats.hh_core_total_membership_count = 9;
        stats.hh_core_accepted_membership_count = 7;
        api_->world().set_stats(id, line.substr(line.find('|') + 1), stats);
    }
}

template <class Use>
auto Installation::with_connection(Use use) const {
    // Opened once: a server of PostgreSQL needs as long for that as for a dozen queries.
    if (!connection_ || !connection_->is_open()) {
        connection_ = std::make_unique<pqxx::connection>(database_url_);
        pqxx::nontransaction{*connection_}.exec("SET TIME ZONE 'UTC'");
    }
    try {
        pqxx::work transaction{*connection_};
        if constexpr (std::is_void_v<decltype(use(transaction))>) {
            use(transaction);
            transaction.commit();
        } else {
            auto result = use(transaction);
            transaction.commit();
            return result;
        }
    } catch (const pqxx::broken_connection&) {
        connection_.reset();
        throw;
    }
}

void Installation::save_history() const {
    execute("CREATE SCHEMA saved");
    for_each_table("CREATE TABLE saved.{0} AS TABLE heiasync.{0};");
}

void Installation::restore_history() const {
    // Each row is back in the end, whatever refers to it meanwhile.
    for_each_table(
        "SET LOCAL session_replication_role = replica; DELETE FROM heiasync.{0}; "
        "INSERT INTO heiasync.{0} OVERRIDING SYSTEM VALUE TABLE saved.{0};");
}

void Installation::for_each_table(std::string_view statement) const {
    with_connection([&](pqxx::work& transaction) {
        std::string statements;
        for (const auto& table : transaction.exec(
                 "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'heiasync'::regnamespace")) {
            statements += fmt::format(fmt::runtime(statement), text_of(table[0]));
        }
        transaction.exec(statements);
    });
}

void Installation::execute(const std::string& sql) const {
    with_connection([&](pqxx::work& transaction) { transaction.exec(sql); });
}

std::string Installation::value(const std::string& sql) const {
    return with_connection([&](pqxx::work& transaction) {
        const auto result = transaction.exec(sql);
        if (result.size() != 1) {
            throw std::runtime_error{fmt::format("{} rows instead of one: {}", result.size(), sql)};
        }
        return text_of(result[0][0]);
    });
}

std::int64_t Installation::count(const std::string& sql) const {
    return std::stoll(value(sql));
}

std::set<std::string> Installation::lines(const std::string& sql) const {
    return with_connection([&](pqxx::work& transaction) {
        std::set<std::string> lines;
        for (const auto& row : transaction.exec(sql)) {
            std::string line;
            for (const auto& field : row) {
                line += (line.empty() && field.num() == 0 ? "" : "|") + text_of(field);
            }
            EXPECT_TRUE(lines.insert(line).second) << "two rows are equal: " << line;
        }
        return lines;
    });
}

rapidjson::Document Installation::json(const std::string& sql) const {
    const auto text =
        value(fmt::format("SELECT coalesce(json_agg(row_to_json(selected)), '[]') FROM ({}) AS selected", sql));
    rapidjson::Document document;
    document.Parse<rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
    return document;
}

std::vector<std::string> Installation::dump(const std::set<std::string>& except) const {
    return with_connection([&](pqxx::work& transaction) {
        std::vector<std::string> rows;
        const auto tables = transaction.exec(
            "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind "
            "IN ('r', 'p', 'm') AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2");
        for (const auto& table : tables) {
            const auto name = text_of(table[1]);
            if (except.contains(name)) {
                continue;
            }
            const auto content =
                transaction.exec(fmt::format("SELECT t::text FROM {}.{} AS t ORDER BY 1", text_of(table[0]), name));
            for (const auto& row : content) {
                rows.push_back(fmt::format("{} {}", name, text_of(row[0])));
            }
        }
        return rows;
    });
}

std::set<std::string> Installation::data_instance_ids() const {
    std::set<std::string> ids;
    for (const auto& date : dates_) {
        for (const auto& organisation : truth_on(date).organisations()) {
            for (const auto& report : api_->world().reports(organisation.id, instant_after_slot(date))) {
                ids.insert(report.data_instance_id);
            }
        }
    }
    for (const auto& request : api_->requests()) {
        if (request.operation == simulator::Operation::full_data) {
            const fs::path path{request.path};
            ids.insert(path.parent_path().filename());
        }
    }
    return ids;
}

}  // namespace heiasync::testing
