#include "installation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::int64_t newest_version(const Installation& installation) {
    return installation.count("SELECT max(version) FROM heiasync.schema_migrations");
}

TEST(Migrate, BringsAnEmptyDatabaseUpToDateAndThenHasNothingToDo) {
    Installation installation;
    const auto first = installation.run({"migrate"});
    EXPECT_EQ(first.exit_code, exit_code::done) << first;
    const auto before = installation.dump();
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.schema_migrations"), newest_version(installation))
        << "they count up from 1 without a hole";

    const auto again = installation.run({"migrate"});
    EXPECT_EQ(again.exit_code, exit_code::done) << again;
    EXPECT_EQ(installation.dump(), before);
}

TEST(Migrate, TwoProcessesAtOnceBothEndWell) {
    Installation installation;
    std::vector<std::unique_ptr<Process>> starters;
    for (int number = 0; number < 3; ++number) {
        starters.push_back(std::make_unique<Process>(installation.command({"migrate", "--wait"})));
    }
    for (const auto& starter : starters) {
        const auto outcome = starter->wait();
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.schema_migrations"), newest_version(installation));
}

TEST(Migrate, WaitsForAnotherMigrateWithoutBeingTold) {
    Installation installation;
    Process first{installation.command({"migrate"})};
    Process second{installation.command({"migrate"})};
    const auto outcomes = std::vector{first.wait(), second.wait()};
    EXPECT_EQ(outcomes[0].exit_code, exit_code::done) << outcomes[0];
    EXPECT_EQ(outcomes[1].exit_code, exit_code::done) << outcomes[1];
}

TEST(Migrate, StatusTellsCurrentFromPendingFromNewer) {
    Installation installation;
    const auto pending = installation.run({"migrate", "--status"});
    EXPECT_EQ(pending.exit_code, exit_code::incomplete) << pending;
    EXPECT_THAT(pending.out, HasSubstr("heiasyncd migrate"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0)
        << "asking changes nothing";

    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto current = installation.run({"migrate", "--status"});
    EXPECT_EQ(current.exit_code, exit_code::done) << current;

    installation.execute(
        "INSERT INTO heiasync.schema_migrations SELECT max(version) + 1, 'from_the_future', 'x', now(), 1 FROM "
        "heiasync.schema_migrations");
    const auto newer = installation.run({"migrate", "--status"});
    EXPECT_EQ(newer.exit_code, exit_code::configuration) << newer;
}

TEST(Migrate, ADatabaseFromTheFutureIsRefused) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.execute(
        "INSERT INTO heiasync.schema_migrations SELECT max(version) + 1, 'from_the_future', 'x', now(), 1 FROM "
        "heiasync.schema_migrations");
    for (const auto& outcome : {installation.run({"migrate"}), installation.sync_on("2026-06-15")}) {
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
        EXPECT_THAT(outcome.err, AnyOf(HasSubstr("newer"), HasSubstr("does not know"))) << "what is wrong";
        EXPECT_THAT(outcome.err, HasSubstr("version")) << "what to do";
    }
    EXPECT_TRUE(installation.api().requests().empty());
}

TEST(Migrate, AMigrationThatWasChangedAfterwardsIsRefused) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.execute("UPDATE heiasync.schema_migrations SET checksum = repeat('0', 64) WHERE version = 2");
    for (const auto& outcome : {installation.run({"migrate"}), installation.run({"migrate", "--status"}),
                                installation.sync_on("2026-06-15")}) {
        EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
        EXPECT_THAT(outcome.out + outcome.err, AnyOf(HasSubstr("other files"), HasSubstr("differs")));
    }
}

TEST(Migrate, DryRunAppliesNothing) {
    Installation installation;
    const auto outcome = installation.run({"migrate", "--dry-run"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("0001"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0);
}

TEST(Migrate, GoesUpToAVersionAndOnFromThere) {
    Installation installation;
    const auto part = installation.run({"migrate", "--to", "2"});
    EXPECT_EQ(part.exit_code, exit_code::done) << part;
    EXPECT_EQ(newest_version(installation), 2);
    EXPECT_EQ(installation.run({"migrate", "--status"}).exit_code, exit_code::incomplete);

    const auto rest = installation.run({"migrate"});
    EXPECT_EQ(rest.exit_code, exit_code::done) << rest;
    EXPECT_GT(newest_version(installation), 2);
    EXPECT_EQ(installation.run({"migrate", "--status"}).exit_code, exit_code::done);
}

TEST(Migrate, AHalfMigratedHistoryStillSyncsAfterwards) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate", "--to", "3"}).exit_code, exit_code::done);
    const auto outcome = installation.sync_on("2026-06-15", {"--stream", "usage-stats"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.run({"migrate", "--status"}).exit_code, exit_code::done);
}

TEST(Migrate, EveryRelationAndColumnHasAComment) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    EXPECT_EQ(difference({}, installation.lines(
                                 "SELECT relname FROM pg_class WHERE relnamespace = 'heiasync'::regnamespace AND "
                                 "relkind IN ('r', 'v', 'm', 'p') AND obj_description(oid, 'pg_class') IS NULL")),
              "");
    EXPECT_EQ(difference({}, installation.lines(
                                 "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
                                 "WHERE relnamespace = 'heiasync'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') "
                                 "AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL")),
              "");
}

/// What deploy/postgres/roles.sql says of owners that can log in.
TEST(Owners, WhoeverOfThemMigratesWhatThereIsBelongsToAll) {
    Installation installation;
    const std::string url = installation.database_url();
    std::ifstream roles{HEIASYNC_ROLES_SQL};
    query(url, {std::istreambuf_iterator<char>{roles}, {}});
    query(
        url,
        "CREATE ROLE first_owner LOGIN IN ROLE heiasync_owner; CREATE ROLE second_owner LOGIN IN ROLE heiasync_owner");
    const auto as = [&](const char* role) {
        installation.config()["database"]["url"] = PostgresServer::as_role(url, role);
    };
    as("first_owner");
    ASSERT_EQ(installation.run({"migrate", "--to", "20"}).exit_code, exit_code::done);
    as("second_owner");
    const auto migrated = installation.run({"migrate"});
    EXPECT_EQ(migrated.exit_code, exit_code::done) << migrated;
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_class WHERE relnamespace = 'heiasync'::regnamespace AND "
                                 "relowner <> 'heiasync_owner'::regrole"),
              0);
    as("first_owner");
    EXPECT_EQ(installation.run({"migrate", "--status"}).exit_code, exit_code::done);
    EXPECT_EQ(installation.run({"rebuild"}).exit_code, exit_code::done);
    const auto back = installation.run({"migrate", "--to", "5"});
    EXPECT_EQ(back.exit_code, exit_code::usage);
    EXPECT_EQ(back.err.find("is at version 6 already"), std::string::npos) << back;
    query(url, "DROP ROLE first_owner; DROP ROLE second_owner");
}

}  // namespace

}  // namespace heiasync::testing
