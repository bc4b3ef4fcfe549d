#include "history/migrations.hpp"

#include "history/error.hpp"
#include "support/postgres.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace heiasync::history {
namespace {

using heiasync::testing::PostgresServer;
using heiasync::testing::query;
using heiasync::testing::query_value;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace date::literals;

const core::Instant today = date::sys_days{2026_y / 7 / 1};

class Migrations : public ::testing::Test {
protected:
    std::vector<int> migrate_to(std::optional<int> version, bool wait = true) {
        MigrateOptions options;
        options.to = version;
        options.wait = wait;
        return migrate(url, migrations, options, [] { return today; });
    }

    std::vector<int> all_versions() const {
        std::vector<int> versions(migrations.size());
        std::iota(versions.begin(), versions.end(), 1);
        return versions;
    }

    std::string error_of_migrate() {
        try {
            migrate_to({});
        } catch (const DatabaseError& error) {
            EXPECT_EQ(error.kind(), DatabaseError::Kind::schema);
            return error.what();
        }
        return "no error";
    }

    std::string url = PostgresServer::shared().create_database();
    std::vector<Migration> migrations{embedded_migrations().begin(), embedded_migrations().end()};
};

TEST_F(Migrations, CountUpFromOne) {
    std::vector<int> versions;
    for (const Migration& migration : migrations) {
        versions.push_back(migration.version);
    }
    EXPECT_EQ(versions, all_versions());
    EXPECT_FALSE(versions.empty());
}

TEST_F(Migrations, LeaveTheTransactionToTheMigrator) {
    for (const Migration& migration : migrations) {
        EXPECT_THAT(migration.sql, ::testing::Not(::testing::ContainsRegex("\n *(COMMIT|ROLLBACK|BEGIN *;)")))
            << migration.name;
    }
}

TEST_F(Migrations, AnEmptyDatabaseIsBroughtUpToDate) {
    EXPECT_EQ(schema_status(url, migrations).state, SchemaStatus::State::pending);
    EXPECT_EQ(migrate_to({}), all_versions());
    const SchemaStatus status = schema_status(url, migrations);
    EXPECT_EQ(status.state, SchemaStatus::State::current);
    EXPECT_EQ(status.migrations.size(), migrations.size());
    EXPECT_EQ(status.migrations.front().applied_at, today);
    EXPECT_THAT(query(url,
                      "SELECT version, name, checksum, applied_at, duration_ms >= 0 "
                      "FROM heiasync.schema_migrations ORDER BY version LIMIT 1"),
                ElementsAre(ElementsAre("1", std::string{migrations[0].name}, checksum(migrations[0]),
                                        "2026-07-01 00:00:00+00", "t")));
}

TEST_F(Migrations, ASchemaThatTheDbaMadeIsUsed) {
    query(url, "CREATE SCHEMA heiasync");
    EXPECT_EQ(migrate_to({}), all_versions());
}

TEST_F(Migrations, ASecondRunHasNothingToDo) {
    migrate_to({});
    EXPECT_THAT(migrate_to({}), IsEmpty());
}

TEST_F(Migrations, EachIsReportedAfterItsCommit) {
    std::vector<std::string> reported;
    MigrateOptions options;
    options.applied = [&](const MigrationStatus& status) {
        reported.push_back(status.name);
        EXPECT_EQ(query_value(url, "SELECT count(*) FROM heiasync.schema_migrations"), std::to_string(reported.size()));
    };
    migrate(url, migrations, options, [] { return today; });
    EXPECT_EQ(reported.size(), migrations.size());
}

TEST_F(Migrations, TwoStartersAtOnceDoNotCollide) {
    const auto start = [this] { return migrate_to({}); };
    auto first = std::async(std::launch::async, start);
    auto second = std::async(std::launch::async, start);
    const auto by_first = first.get();
    const auto by_second = second.get();
    EXPECT_EQ(by_first.size() + by_second.size(), migrations.size());
    EXPECT_TRUE(by_first.empty() || by_second.empty()) << "the lock was let go between two migrations";
}

TEST_F(Migrations, ALockHeldElsewhereIsNotWaitedForWhereThatIsNotWanted) {
    pqxx::connection other{url};
    pqxx::nontransaction session{other};
    session.exec("SELECT pg_advisory_lock(1214605665, 1)");
    try {
        migrate_to({}, false);
        FAIL() << "it did not notice the lock";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.kind(), DatabaseError::Kind::busy);
        EXPECT_THAT(error.what(), HasSubstr("another migration"));
    }
}

TEST_F(Migrations, AVersionInBetweenCanBeAskedFor) {
    EXPECT_THAT(migrate_to(2), ElementsAre(1, 2));
    EXPECT_EQ(schema_status(url, migrations).state, SchemaStatus::State::pending);
    EXPECT_EQ(migrate_to({}).size(), migrations.size() - 2);
}

TEST_F(Migrations, RaiseTheEpochOnceForWhoeverLostTheRunLockMeanwhile) {
    const auto epoch = [this] { return std::stoi(query_value(url, "SELECT epoch FROM heiasync.run_lock")); };
    migrate_to(12);
    const int before = epoch();
    migrate_to({});
    EXPECT_EQ(epoch(), before + 1);
    migrate_to({});
    EXPECT_EQ(epoch(), before + 1);
}

TEST_F(Migrations, RunsOfBeforeHaveTheirSuccesses) {
    migrate_to(12);
    query(
        url,
        "INSERT INTO heiasync.sync_runs (trigger, run_on, started_at, finished_at, status, organisations, requests, "
        "failures, bytes_received, error, host, version, limited_to, timeline) "
        "SELECT 'manual', '2026-07-01', '2026-07-01Z', '2026-07-01Z', status, 1, 1, 1, 1, error, '', '', limited_to, 1 "
        "FROM (VALUES ('partial', NULL, NULL), ('succeeded', NULL, '--stream reports'), "
        "             ('partial', 'api_unavailable', NULL), ('succeeded', NULL, NULL)) AS run (status, error, "
        "limited_to)");
    query(
        url,
        "INSERT INTO heiasync.sync_tasks (sync_run_id, run_on, organisation_id, business_id, stream, status, attempts, "
        "started_at, finished_at) "
        "SELECT run, '2026-07-01', 7, '', 'reports', status, 1, '2026-07-01Z', '2026-07-01Z' "
        "FROM (VALUES (1, 'failed'), (4, 'done')) AS task (run, status)");
    migrate_to({});
    EXPECT_EQ(query_value(url,
                          "SELECT string_agg(sync_run_id || ' ' || stream, ', ' ORDER BY sync_run_id, stream) "
                          "FROM heiasync.stream_successes"),
              "1 energy_levels, 1 organisations, 1 usage_stats, "
              "4 energy_levels, 4 organisations, 4 reports, 4 usage_stats");
}

TEST_F(Migrations, TheWayBackIsRefused) {
    migrate_to(3);
    EXPECT_THROW(migrate_to(2), std::invalid_argument);
    EXPECT_THROW(migrate_to(0), std::invalid_argument);
    EXPECT_THROW(migrate_to(static_cast<int>(migrations.size()) + 1), std::invalid_argument);
    EXPECT_THAT(migrate_to(3), IsEmpty());
}

TEST_F(Migrations, AChangedFileIsRefused) {
    migrate_to(2);
    const std::string changed = std::string{migrations[1].sql} + "-- changed\n";
    migrations[1].sql = changed;
    EXPECT_EQ(schema_status(url, migrations).state, SchemaStatus::State::changed);
    EXPECT_THAT(error_of_migrate(),
                AllOf(HasSubstr(fmt::format("0002_{}", migrations[1].name)), HasSubstr("restore the files")));
    EXPECT_EQ(query_value(url, "SELECT count(*) FROM heiasync.schema_migrations"), "2");
}

TEST_F(Migrations, ADatabaseFromTheFutureIsRefused) {
    migrate_to({});
    query(url, "INSERT INTO heiasync.schema_migrations VALUES (9999, 'of_the_future', 'x', '2027-01-01Z', 1)");
    EXPECT_EQ(schema_status(url, migrations).state, SchemaStatus::State::newer);
    EXPECT_THAT(error_of_migrate(), AllOf(HasSubstr("9999_of_the_future"), HasSubstr("newer")));
}

TEST_F(Migrations, AFailedOneLeavesNothingBehind) {
    const int next = static_cast<int>(migrations.size()) + 1;
    migrations.push_back({next, "half", "CREATE TABLE heiasync.half (); SELECT 1 / 0"});
    EXPECT_THROW(migrate_to({}), DatabaseError);
    EXPECT_EQ(query_value(url, "SELECT to_regclass('heiasync.half') IS NULL"), "t");
    EXPECT_EQ(query_value(url, "SELECT max(version) FROM heiasync.schema_migrations"), std::to_string(next - 1));
}

TEST_F(Migrations, ADatabaseThatIsNotThereIsAway) {
    url += "_that_is_not_there";
    try {
        schema_status(url, migrations);
        FAIL() << "it found one";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.kind(), DatabaseError::Kind::away);
        EXPECT_THAT(error.what(), HasSubstr("does not exist"));
    }
}

TEST_F(Migrations, AUrlThatCannotBeReadIsNotRepeated) {
    try {
        schema_status("postgresql://user:hunter2%zz@host/db", migrations);
        FAIL() << "it was read";
    } catch (const DatabaseError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("database.url"), ::testing::Not(HasSubstr("hunter2"))));
    }
}

}  // namespace
}  // namespace heiasync::history
