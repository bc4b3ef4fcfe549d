#include "installation.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

/// `check --online`: what it finds out about the database and the API, and that it changes neither.

namespace heiasync::testing {

namespace {

using simulator::Operation;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::StartsWith;

const std::vector<std::string> check_online{"check", "--online"};

/// The lines of the table: `database: server` and the like, with what was found.
using Table = std::map<std::string, std::string>;

Table table_of(const Outcome& outcome) {
    Table table;
    std::string section;
    std::istringstream lines{outcome.out.substr(outcome.out.find("\ndatabase\n"))};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("  ")) {
            const auto name = line.substr(2, 22);
            table[section + ": " + name.substr(0, name.find_last_not_of(' ') + 1)] = line.substr(25);
        } else if (!line.empty()) {
            section = line.substr(0, line.find(' '));
        }
    }
    return table;
}

const Table everything_well{{"what: token in the header", "taken"},
                            {"what: token in the query", "taken"},
                            {"what: figures of stats", "wrapped in `usage`"},
                            {"what: size_classes by comma", "honoured"},
                            {"what: size_classes repeated", "honoured"},
                            {"what: total", "null"},
                            {"API: clock", "as ours"},
                            {"database: clock", "as ours"}};

TEST(CheckOnline, ShowsTheConfigurationAndThenATableOfWhatIs) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.err, IsEmpty());
    EXPECT_THAT(outcome.out, StartsWith(installation.run({"check"}).out));

    const auto table = table_of(outcome);
    EXPECT_THAT(table, IsSupersetOf(everything_well));
    EXPECT_THAT(table, Contains(Pair("database: server", MatchesRegex("PostgreSQL [0-9]+\\.[0-9]+.*, encoding UTF8"))));
    EXPECT_THAT(table, Contains(Pair("database: role", HasSubstr("may migrate, may store"))));
    EXPECT_THAT(table, Contains(Pair("database: time zones", "known")));
    EXPECT_THAT(table, Contains(Pair("database: schema", MatchesRegex("version [0-9]+, up to date"))));
    EXPECT_THAT(table, Contains(Pair("API: connection", StartsWith("plain http"))));
    EXPECT_THAT(table,
                Contains(Pair("API: token", MatchesRegex("accepted, scope read_only_admin_api, until 2[-0-9T:]+Z"))));
    EXPECT_THAT(table, Contains(Pair("what: per_page", MatchesRegex("cannot tell: asked for 500, .* only [0-9]+"))));
}

TEST(CheckOnline, ChangesNothingAndOnlyReads) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto before = installation.dump();
    ASSERT_EQ(installation.run(check_online).exit_code, exit_code::done);
    EXPECT_EQ(installation.dump(), before);
    for (const auto& request : installation.api().requests()) {
        EXPECT_EQ(request.method, request.operation == Operation::token ? "POST" : "GET");
        EXPECT_THAT(request.operation, AnyOf(Operation::token, Operation::organisations, Operation::stats));
    }
}

TEST(CheckOnline, NeedsNoSchemaAndMakesNone) {
    Installation installation;
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(table_of(outcome)["database: schema"], "none yet; the next sync brings it up to date");
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0);

    installation.config()["database"]["migrate_on_start"] = false;
    const auto waiting = installation.run(check_online);
    EXPECT_EQ(waiting.exit_code, exit_code::configuration) << waiting;
    EXPECT_EQ(table_of(waiting)["database: schema"], "none yet");
    EXPECT_THAT(waiting.err, HasSubstr("run `heiasyncd migrate`"));
    EXPECT_THAT(table_of(waiting), IsSupersetOf(everything_well));
}

struct Variation {
    const char* name;
    void (*apply)(simulator::Options&);
    const char* what;
    const char* found;  ///< a regular expression
    int exit_code = exit_code::done;
};

void PrintTo(const Variation& variation, std::ostream* stream) {
    *stream << variation.name;
}

class CheckOnlineOf : public ::testing::TestWithParam<Variation> {};

TEST_P(CheckOnlineOf, ShowsWhichDescriptionTheServerFollows) {
    auto options = small_world();
    GetParam().apply(options);
    Installation installation{options};
    if (options.tls) {
        installation.config()["api"]["ca_file"] = installation.write("ca.pem", installation.api().ca_pem()).string();
    }
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, GetParam().exit_code) << outcome;
    EXPECT_EQ(outcome.err.empty(), GetParam().exit_code == exit_code::done) << outcome;
    auto table = table_of(outcome);
    EXPECT_THAT(table[GetParam().what], MatchesRegex(GetParam().found));
    auto others = everything_well;
    others.erase(GetParam().what);
    EXPECT_THAT(table, IsSupersetOf(others)) << "and nothing else is different";
}

using simulator::ListForm;
using simulator::Options;
using simulator::TokenPlace;

INSTANTIATE_TEST_SUITE_P(
    Servers, CheckOnlineOf,
    ::testing::Values(
        Variation{"bare_stats", [](Options& options) { options.stats_shape = simulator::StatsShape::bare; },
                  "what: figures of stats", "bare"},
        Variation{"comma_list", [](Options& options) { options.size_classes = ListForm::comma; },
                  "what: size_classes repeated", "ignored \\(.* came too\\)"},
        Variation{"repeated_list", [](Options& options) { options.size_classes = ListForm::repeated; },
                  "what: size_classes by comma", "ignored \\(.* came too\\)"},
        Variation{"token_in_header", [](Options& options) { options.token_place = TokenPlace::header; },
                  "what: token in the query", "refused \\(GET /admin/v1/documents/organisations: 401 .*\\)"},
        Variation{"token_in_query", [](Options& options) { options.token_place = TokenPlace::query; },
                  "what: token in the header", "refused \\(GET /admin/v1/documents/organisations: 401 .*\\)",
                  exit_code::rejected},
        Variation{"page_cap", [](Options& options) { options.page_cap = 30; }, "what: per_page",
                  "capped: asked for 500, 30 came, and there are more"},
        Variation{"wide_scope", [](Options& options) { options.scope = "admin_api"; }, "API: token",
                  "accepted, scope admin_api \\(read_only_admin_api is enough.*"},
        Variation{"clock_behind", [](Options& options) { options.date_skew = std::chrono::seconds{-120}; },
                  "API: clock", "(2min|119s|121s) behind ours"},
        Variation{"clock_skew", [](Options& options) { options.date_skew = std::chrono::minutes{15}; }, "API: clock",
                  "(15min|899s|901s) ahead of ours", exit_code::unavailable},
        Variation{"tls", [](Options& options) { options.tls = simulator::CertificateFlaw::none; }, "API: connection",
                  "TLSv1\\.3, certificate verified, valid until 2[-0-9T:]+Z"}),
    [](const auto& variation) { return std::string{variation.param.name}; });

TEST(CheckOnline, SaysWhyItCannotTellWithOneOrganisation) {
    auto options = small_world();
    options.organisations = 1;
    Installation installation{options};
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    auto table = table_of(outcome);
    for (const auto* list : {"what: size_classes by comma", "what: size_classes repeated"}) {
        EXPECT_THAT(table[list], MatchesRegex("cannot tell: all organisations are of size class [0-9]+"));
    }
    EXPECT_EQ(table["what: per_page"], "cannot tell: asked for 500, and there are only 1");
}

void use_wrong_token(const Installation& installation) {
    installation.write("magic_token", "another-token-than-the-one-that-is-right\n");
}

TEST(CheckOnline, WhereTheCredentialsAreRejectedTheDatabaseIsLookedAtNevertheless) {
    Installation installation;
    use_wrong_token(installation);
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::rejected) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("the API rejected the credentials (POST /oauth/token: 403"));
    auto table = table_of(outcome);
    EXPECT_THAT(table["database: server"], HasSubstr("PostgreSQL"));
    EXPECT_EQ(table["API: clock"], "as ours");
    EXPECT_EQ(table["what: total"], "cannot tell: not asked");
}

TEST(CheckOnline, WhereTheDatabaseIsAwayTheApiIsLookedAtNevertheless) {
    Installation installation;
    installation.config()["database"]["url"] = "postgresql:///heiasync?host=/nowhere";
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("check database.url and the server"));
    auto wanted = everything_well;
    wanted.erase("database: clock");
    EXPECT_THAT(table_of(outcome), IsSupersetOf(wanted));

    use_wrong_token(installation);
    const auto both = installation.run(check_online);
    EXPECT_EQ(both.exit_code, exit_code::unavailable) << "what is away comes first" << both;
    EXPECT_THAT(both.err, AllOf(HasSubstr("check database.url"), HasSubstr("rejected the credentials")));
}

TEST(CheckOnline, WhereTheApiIsAwayTheDatabaseIsLookedAtNevertheless) {
    Installation installation;
    installation.config()["api"]["base_url"] = "http://127.0.0.1:9";
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("the API is not reachable: 127.0.0.1:9: cannot connect"));
    EXPECT_EQ(table_of(outcome)["database: clock"], "as ours");
}

TEST(CheckOnline, NamesACertificateThatIsRefused) {
    auto options = small_world();
    options.tls = simulator::CertificateFlaw::expired;
    Installation installation{options};
    installation.config()["api"]["ca_file"] = installation.write("ca.pem", installation.api().ca_pem()).string();
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(table_of(outcome)["API: connection"], HasSubstr("certificate has expired"));
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(CheckOnline, NamesASecretThatCannotBeRead) {
    Installation installation;
    installation.config()["api"]["magic_token_file"] = "/nowhere/magic_token";
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("/nowhere/magic_token"));
    EXPECT_THAT(table_of(outcome)["API: connection"], StartsWith("plain http"));
    EXPECT_THAT(installation.api().requests(), IsEmpty());
}

TEST(CheckOnline, RefusesASchemaThatItDoesNotKnowAndAsksTheApiNevertheless) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.execute(
        "INSERT INTO heiasync.schema_migrations (version, name, checksum, applied_at, duration_ms) "
        "VALUES (9999, 'of_tomorrow', repeat('0', 64), now(), 1)");
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(table_of(outcome)["database: schema"], HasSubstr("newer than this program"));
    EXPECT_THAT(table_of(outcome), IsSupersetOf(everything_well));
}

TEST(CheckOnline, RefusesAnotherEncodingOnceAndAsksTheApiNevertheless) {
    Installation installation;
    installation.config()["database"]["url"] = PostgresServer::shared().create_database_in("LATIN1");
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(table_of(outcome)["database: server"], HasSubstr("encoding LATIN1"));
    EXPECT_THAT(outcome.err, MatchesRegex("heiasyncd: the encoding of the database is LATIN1, [^\n]*\n"));
    EXPECT_THAT(table_of(outcome), IsSupersetOf(everything_well));
}

TEST(CheckOnline, RefusesADatabaseOfARehearsal) {
    Installation installation;
    installation.sync_on("2026-06-15", {"--stream", "organisations"});
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("born in a rehearsal"));
}

TEST(CheckOnline, SeesWhatARoleMayDo) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.execute(
        "CREATE ROLE check_online_reader LOGIN; GRANT USAGE ON SCHEMA heiasync TO check_online_reader;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA heiasync TO check_online_reader");
    const auto reader = PostgresServer::as_role(installation.database_url(), "check_online_reader");
    installation.config()["database"]["url"] = reader;
    installation.config()["database"]["owner_url"] = installation.database_url();
    const auto outcome = installation.run(check_online);
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_EQ(table_of(outcome)["database: role"], "check_online_reader: may not migrate, may not store");
    EXPECT_THAT(table_of(outcome)["database: owner"], HasSubstr(": may migrate, may store"));
    EXPECT_THAT(outcome.err, HasSubstr("check_online_reader may not store"));
}

}  // namespace

}  // namespace heiasync::testing
