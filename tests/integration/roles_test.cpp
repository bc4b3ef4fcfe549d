#include "history/error.hpp"
#include "history/migrations.hpp"
#include "history/run_lock.hpp"
#include "history/session.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace heiasync::history {
namespace {

using heiasync::testing::PostgresServer;
using heiasync::testing::query;
using heiasync::testing::query_value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto now = [] { return core::Instant{}; };

void run_roles_sql(const std::string& url) {
    std::ifstream file{HEIASYNC_ROLES_SQL};
    ASSERT_TRUE(file);
    query(url, {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}});
    query(url, "ALTER ROLE heiasync_owner LOGIN; ALTER ROLE heiasync_writer LOGIN; ALTER ROLE heiasync_reader LOGIN");
}

/// A database with roles, migrated by the owner.
class Roles : public ::testing::Test {
protected:
    void SetUp() override {
        run_roles_sql(url);
        migrate(owner, embedded_migrations(), {}, now);
    }

    static bool refused(const std::string& as, const std::string& sql) {
        try {
            query(as, sql);
            return false;
        } catch (const pqxx::insufficient_privilege&) {
            return true;
        }
    }

    std::vector<std::vector<std::string>> relations() {
        return query(url,
                     "SELECT relname, relkind = 'r', string_agg(quote_ident(attname), ', ') FROM pg_class "
                     "JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped "
                     "WHERE relnamespace = 'heiasync'::regnamespace AND relkind IN ('r', 'v') GROUP BY 1, 2");
    }

    std::string url = PostgresServer::shared().create_database();
    std::string owner = PostgresServer::as_role(url, "heiasync_owner");
    std::string writer = PostgresServer::as_role(url, "heiasync_writer");
    std::string reader = PostgresServer::as_role(url, "heiasync_reader");
};

TEST_F(Roles, TheFileCanBeRunAgain) {
    run_roles_sql(url);
    EXPECT_EQ(query_value(reader, "SELECT count(*) FROM heiasync.sync_runs"), "0");
}

TEST_F(Roles, TheOwnerOwnsAllThatIsThere) {
    EXPECT_THAT(query(url,
                      "SELECT relname FROM pg_class WHERE relnamespace = 'heiasync'::regnamespace "
                      "AND relowner <> 'heiasync_owner'::regrole "
                      "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'heiasync'::regnamespace "
                      "AND proowner <> 'heiasync_owner'::regrole"),
                IsEmpty());
}

TEST_F(Roles, TheWriterNeitherChangesNorDeletesAnObservation) {
    for (const auto& relation : relations()) {
        const std::string& name = relation[0];
        if (relation[1] != "t") {
            continue;
        }
        if (!std::set<std::string>{"rehearsal", "run_lock", "schema_drift", "sync_runs"}.contains(name)) {
            EXPECT_TRUE(
                refused(writer, "UPDATE heiasync." + name + " SET (" + relation[2] + ") = ROW (" + relation[2] + ")"))
                << name;
        }
        EXPECT_TRUE(refused(writer, "DELETE FROM heiasync." + name)) << name;
        EXPECT_TRUE(refused(writer, "TRUNCATE heiasync." + name)) << name;
    }
    // Every column that it may change, and no other.
    EXPECT_THAT(
        query(url,
              "SELECT table_name, string_agg(column_name, ' ' ORDER BY column_name) "
              "FROM information_schema.column_privileges "
              "WHERE table_schema = 'heiasync' AND grantee = 'heiasync_writer' AND privilege_type = 'UPDATE' "
              "GROUP BY 1 ORDER BY 1"),
        ElementsAre(
            ElementsAre("rehearsal", "simulated_now"),
            ElementsAre("run_lock", "backend_id epoch holder host only_row process_id purpose taken_at"),
            ElementsAre("schema_drift", "first_seen_at last_seen_at"),
            ElementsAre("sync_runs", "bytes_received error failures finished_at organisations requests status")));
}

TEST_F(Roles, TheWriterInsertsIntoEveryTableButThree) {
    const std::set<std::string> exceptions{"schema_migrations", "run_lock", "erasures"};
    for (const auto& relation : relations()) {
        const bool may = query_value(url, "SELECT has_table_privilege('heiasync_writer', 'heiasync." + relation[0] +
                                              "', 'INSERT')") == "t";
        EXPECT_EQ(may, relation[1] == "t" && !exceptions.contains(relation[0])) << relation[0];
    }
}

TEST_F(Roles, TheWriterTakesTheRunLockAndMakesSureOfIt) {
    Session session{writer, {.statement = {}, .lock = {}}};
    std::optional<RunLock> lock;
    session.transact([&lock](Transaction& transaction) {
        lock = take_run_lock(transaction, {"host", 1, "run", now()});
    });
    ASSERT_TRUE(lock);
    session.transact([&lock](Transaction& transaction) {
        confirm_run_lock(transaction, *lock, true);
        EXPECT_NE(describe_lock_holder(transaction), "");
    });
}

TEST_F(Roles, TheWriterCannotMigrate) {
    std::vector<Migration> more{embedded_migrations().begin(), embedded_migrations().end()};
    more.push_back({static_cast<int>(more.size()) + 1, "more", "CREATE TABLE heiasync.more ()"});
    EXPECT_EQ(schema_status(writer, more).state, SchemaStatus::State::pending);
    try {
        migrate(writer, more, {}, now);
        FAIL() << "it could";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.kind(), DatabaseError::Kind::schema);
    }
}

TEST_F(Roles, TheReaderReadsWhatIsNotConfidentialAndWritesNothing) {
    const std::set<std::string> confidential{"report_sources", "report_originals", "energy_level_originals",
                                             "run_lock"};
    for (const auto& relation : relations()) {
        const std::string& name = relation[0];
        EXPECT_EQ(refused(reader, "SELECT * FROM heiasync." + name + " LIMIT 1"), confidential.contains(name)) << name;
    }
    EXPECT_THAT(query(url,
                      "SELECT table_name, privilege_type FROM information_schema.table_privileges "
                      "WHERE table_schema = 'heiasync' AND grantee = 'heiasync_reader' AND privilege_type <> 'SELECT'"),
                IsEmpty());
}

/// A view reads with the rights of its owner, and so does a function that says so.
TEST_F(Roles, NoViewAndNoFunctionLendsTheReaderMore) {
    EXPECT_THAT(query(url,
                      "SELECT view.relname, used.relname FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid "
                      "JOIN pg_class AS view ON view.oid = ev_class JOIN pg_class AS used ON used.oid = refobjid "
                      "WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass "
                      "AND view.relnamespace = 'heiasync'::regnamespace "
                      "AND has_table_privilege('heiasync_reader', view.oid, 'SELECT') "
                      "AND NOT has_table_privilege('heiasync_reader', used.oid, 'SELECT')"),
                IsEmpty());
    EXPECT_THAT(query(url, "SELECT proname FROM pg_proc WHERE pronamespace = 'heiasync'::regnamespace AND prosecdef"),
                IsEmpty());
    const char* const rights =
        "SELECT relname, relacl FROM pg_class WHERE relnamespace = 'heiasync'::regnamespace ORDER BY 1";
    const auto before = query(url, rights);
    refused(reader, "CALL heiasync.grant_to_roles()");
    EXPECT_EQ(query(url, rights), before);
}

TEST_F(Roles, NobodyElseSeesAnything) {
    query(url, "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN");
    EXPECT_TRUE(refused(PostgresServer::as_role(url, "stranger"), "SELECT FROM heiasync.organisations"));
}

TEST_F(Roles, ADatabaseMigratedBeforeTheyExistedCatchesUp) {
    const std::string older = PostgresServer::shared().create_migrated_database();
    run_roles_sql(older);
    EXPECT_EQ(query_value(PostgresServer::as_role(older, "heiasync_reader"), "SELECT count(*) FROM heiasync.reports"),
              "0");
    EXPECT_TRUE(refused(PostgresServer::as_role(older, "heiasync_reader"), "SELECT FROM heiasync.report_sources"));
}

}  // namespace
}  // namespace heiasync::history
