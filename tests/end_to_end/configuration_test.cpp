#include "installation.hpp"
#include "support/postgres.hpp"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;

std::vector<std::string> split_lines(const std::string& text) {
    std::istringstream stream{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

Outcome check(const Installation& installation, const std::string& text) {
    const auto file = installation.write("tried.yaml", text);
    return Process{{program(), "--config", file.string(), "check"}}.wait();
}

/// A port of the loopback address where nobody listens, for as long as this lives.
class SilentPort {
public:
    SilentPort() : socket_{loop_, {boost::asio::ip::address_v4::loopback(), 0}} {}
    [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", port()); }
    [[nodiscard]] unsigned port() const { return socket_.local_endpoint().port(); }

private:
    boost::asio::io_context loop_;
    boost::asio::ip::tcp::socket socket_;
};

TEST(Check, FiveMistakesAreFiveLinesWithLineAndColumn) {
    const Installation installation;
    const auto outcome = check(installation,
                               "api:\n"
                               "  base_url: https://api.heiaheia.com\n"
                               "  email: client@example.com\n"
                               "  client_id: an-id\n"
                               "  client_secret_file: /etc/heiasync/credentials/client_secret\n"
                               "  magic_token_file: /etc/heiasync/credentials/magic_token\n"
                               "  per_pgae: 100\n"
                               "  request_timeout: 60\n"
                               "schedule:\n"
                               "  daily_at: \"25:00\"\n"
                               "energy_levels:\n"
                               "  reporting_period_months: 5\n"
                               "log: {level: loud}\n");
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    const auto file = (installation.directory() / "tried.yaml").string();
    EXPECT_THAT(split_lines(outcome.err),
                ElementsAre(StartsWith(file + ":7:3: "), StartsWith(file + ":8:20: "), StartsWith(file + ":10:13: "),
                            StartsWith(file + ":12:28: "), StartsWith(file + ":13:14: ")))
        << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("per_page"));
    EXPECT_THAT(outcome.err, HasSubstr("such as 30s"));
}

TEST(Check, PrintsTheEffectiveConfigurationWithoutItsSecrets) {
    const Installation installation;
    const auto outcome = check(installation,
                               "api:\n"
                               "  email: client@example.com\n"
                               "  client_id: an-id\n"
                               "  client_secret: literal-client-secret-of-this-test\n"
                               "  magic_token: literal-magic-token-of-this-test\n"
                               "database:\n"
                               "  url: postgresql://writer:password-of-this-test@db.example.com/heiasync\n");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("of-this-test")));
    EXPECT_THAT(outcome.out, HasSubstr("***"));
    for (const auto* line : {"client@example.com", "https://api.heiaheia.com", "Europe/Helsinki", "04:30", "200MiB",
                             "127.0.0.1:9464", "db.example.com/heiasync", "max_days_late: 7"}) {
        EXPECT_THAT(outcome.out, HasSubstr(line));
    }
    EXPECT_THAT(outcome.err, HasSubstr(":7:")) << "a password in the URL is worth a warning";
}

TEST(Check, OpensNoSecretFile) {
    Installation installation;
    const auto pipe = installation.directory() / "opening-this-never-returns";
    ASSERT_EQ(::mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
    installation.config()["api"]["magic_token_file"] = pipe.string();
    installation.config()["api"]["client_secret_file"] = "/nowhere/client_secret";
    const auto outcome = installation.run({"check"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
}

TEST(Check, WhatItPrintsIsAConfigurationAgain) {
    Installation installation;
    const auto once = installation.run({"check"});
    ASSERT_EQ(once.exit_code, exit_code::done) << once;
    const auto twice = check(installation, once.out);
    EXPECT_EQ(twice.exit_code, exit_code::done) << twice;
    EXPECT_EQ(twice.out, once.out);
}

TEST(Secrets, AFileThatEverybodyCanReadIsRefused) {
    Installation installation;
    fs::permissions(installation.directory() / "magic_token", fs::perms::owner_read | fs::perms::others_read);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr((installation.directory() / "magic_token").string()));
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("chmod"), HasSubstr("600")));
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(Secrets, AFileThatIsNoRegularOneIsRefused) {
    Installation installation;
    const auto pipe = installation.directory() / "opening-this-never-returns";
    ASSERT_EQ(::mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
    installation.config()["api"]["client_secret_file"] = pipe.string();
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(pipe.string() + ": is no regular file; expected"));
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(Secrets, AMissingOrEmptyFileIsSaidSo) {
    Installation installation;
    installation.write("magic_token", "\n");
    const auto empty = installation.sync_on("2026-06-15");
    EXPECT_EQ(empty.exit_code, exit_code::configuration) << empty;
    EXPECT_THAT(empty.err, HasSubstr((installation.directory() / "magic_token").string()));

    fs::remove(installation.directory() / "magic_token");
    const auto missing = installation.sync_on("2026-06-15");
    EXPECT_EQ(missing.exit_code, exit_code::configuration) << missing;
    EXPECT_THAT(missing.err, HasSubstr((installation.directory() / "magic_token").string()));
}

TEST(Secrets, ComeFromTheEnvironmentOrTheCredentialsDirectoryToo) {
    Installation installation;
    const auto sync =
        std::vector<std::string>{"sync", "--simulated-time", after_slot("2026-06-15"), "--stream", "usage-stats"};
    auto api = installation.config()["api"];
    api.remove("magic_token_file");
    api.remove("client_secret_file");
    api["magic_token"] = "${MAGIC}";
    api["client_secret"] = "${SECRET}";
    const auto& credentials = installation.api().options().credentials;
    const auto from_environment =
        installation.run(sync, {{"MAGIC", credentials.magic_token}, {"SECRET", credentials.client_secret}});
    EXPECT_EQ(from_environment.exit_code, exit_code::done) << from_environment;

    const auto unset = installation.run(sync, {{"SECRET", credentials.client_secret}});
    EXPECT_EQ(unset.exit_code, exit_code::configuration) << unset;
    EXPECT_THAT(unset.err, HasSubstr("MAGIC"));

    api.remove("magic_token");
    api.remove("client_secret");
    const auto from_directory = installation.run(sync, {{"CREDENTIALS_DIRECTORY", installation.directory().string()}});
    EXPECT_EQ(from_directory.exit_code, exit_code::done) << from_directory;
}

TEST(ExitCodes, AWrongMagicTokenIs77) {
    Installation installation;
    installation.write("magic_token", "not-the-token-that-the-api-knows\n");
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::rejected) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("magic token"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("not-the-token")));
    EXPECT_EQ(installation.requests(simulator::Operation::token), 1U) << "what is rejected is not tried again";
    EXPECT_EQ(installation.requests(simulator::Operation::organisations), 0U);
}

TEST(ExitCodes, NoDatabaseIs69) {
    Installation installation;
    const SilentPort nobody;
    for (const auto& url : {std::string{"postgresql:///heiasync?host=/nowhere"},
                            fmt::format("postgresql://127.0.0.1:{}/heiasync", nobody.port()),
                            installation.database_url() + "_that_is_not_there"}) {
        installation.config()["database"]["url"] = url;
        for (const auto* command : {"sync", "migrate"}) {
            const auto outcome = installation.run({command});
            EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << url << '\n' << outcome;
            EXPECT_THAT(outcome.err, HasSubstr("database.url")) << "what to look at";
        }
    }
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(ExitCodes, NoApiIs69) {
    Installation installation;
    const SilentPort nobody;
    installation.config()["api"]["base_url"] = nobody.url();
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("127.0.0.1")) << "where it was looked for";
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("try again"), HasSubstr("api.base_url"))) << "what to do";
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "failed");
}

TEST(ExitCodes, AnApiThatOnlyFailsIs69) {
    Installation installation;
    simulator::Fault down;
    down.status = 503;
    installation.api().fail(down);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("503"));
}

TEST(ExitCodes, MistakesThatOnlyTheNetworkMeetsAre78AndNamed) {
    Installation installation;
    installation.config()["api"]["base_url"] = "https://api.example.invalid";
    for (const auto* proxy : {"socks5://proxy.example:1080", "https://proxy.example:3128"}) {
        const auto outcome = installation.run({"sync"}, {{"https_proxy", proxy}});
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr("https_proxy"));
    }
    installation.config()["api"]["ca_file"] = "/nowhere/authority.pem";
    const auto outcome = installation.run({"sync"});
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("api.ca_file"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_runs"), 0);

    installation.config()["database"]["url"] = "host=/tmp bogus=1";
    const auto no_url = installation.run({"sync"});
    EXPECT_EQ(no_url.exit_code, exit_code::configuration) << no_url;
    EXPECT_THAT(no_url.err, HasSubstr("database.url"));
}

TEST(SimulatedTime, IsRefusedWhereTheServerIsNotOnThisMachine) {
    Installation installation;
    installation.config()["api"]["base_url"] = "https://api.example.com";
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("loopback"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0);
}

TEST(SimulatedTime, IsRefusedOnRealHistory) {
    Installation installation;
    const std::vector<std::string> one_stream{"--stream", "usage-stats"};
    const auto real = installation.run({"sync", "--stream", "usage-stats"});
    ASSERT_EQ(real.exit_code, exit_code::done) << real;
    const auto before = installation.dump();

    const auto outcome = installation.sync_on("2026-06-15", one_stream);
    EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("real"));
    EXPECT_EQ(installation.dump(), before);
}

TEST(SimulatedTime, ItsDatabaseIsRefusedWithoutIt) {
    Installation installation;
    const auto rehearsal = installation.sync_on("2026-06-15", {"--stream", "usage-stats"});
    ASSERT_EQ(rehearsal.exit_code, exit_code::done) << rehearsal;
    const auto before = installation.dump();

    const auto outcome = installation.run({"sync", "--stream", "usage-stats"});
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("rehearsal"));
    EXPECT_EQ(installation.dump(), before);
}

TEST(SimulatedTime, AMigratedDatabaseWithoutARunIsStillEmpty) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto outcome = installation.sync_on("2026-06-15", {"--stream", "usage-stats"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
}

TEST(Schema, ADatabaseOfAnotherEncodingThanUtf8IsRefused) {
    Installation installation;
    for (const auto* encoding : {"LATIN1", "SQL_ASCII"}) {
        installation.config()["database"]["url"] = PostgresServer::shared().create_database_in(encoding);
        for (const auto& command : std::vector<std::vector<std::string>>{
                 {"migrate"}, {"migrate", "--status"}, {"sync"}, {"sync", "--dry-run"}}) {
            const auto outcome = installation.run(command);
            EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
            EXPECT_THAT(outcome.err, AllOf(HasSubstr(encoding), HasSubstr("--encoding UTF8"))) << "what to do";
        }
    }
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(Schema, AStaleOneIsRefusedWhereMigratingIsNotAllowed) {
    Installation installation;
    installation.config()["database"]["migrate_on_start"] = false;
    const auto refused = installation.sync_on("2026-06-15");
    EXPECT_EQ(refused.exit_code, exit_code::configuration) << refused;
    EXPECT_THAT(refused.err, HasSubstr("heiasyncd migrate"));
    EXPECT_THAT(installation.api().requests(), IsEmpty());

    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto outcome = installation.sync_on("2026-06-15", {"--stream", "usage-stats"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
}

}  // namespace

}  // namespace heiasync::testing
