#include "history/inspection.hpp"

#include "core/clock.hpp"
#include "history/error.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace heiasync::history {
namespace {

using heiasync::testing::PostgresServer;
using heiasync::testing::query;
using heiasync::testing::query_value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// The same database as a new role that may do nothing but what `grants` says.
std::string as_new_role(const std::string& url, const std::string& name, const std::string& grants = "") {
    query(url, "CREATE ROLE " + name + " LOGIN; " + grants);
    return PostgresServer::as_role(url, name);
}

TEST(Inspection, SaysWhatTheServerIsAndWhoLooks) {
    const std::string url = PostgresServer::shared().create_database();
    const Inspection inspection = inspect(url);
    EXPECT_EQ(std::to_string(inspection.version_number), query_value(url, "SHOW server_version_num"));
    EXPECT_EQ(inspection.version, query_value(url, "SHOW server_version"));
    EXPECT_EQ(inspection.encoding, "UTF8");
    EXPECT_EQ(inspection.role, query_value(url, "SELECT current_user"));
    const auto behind = core::SystemClock{}.now() - inspection.now;
    EXPECT_LT(std::chrono::abs(behind), std::chrono::minutes{1});
}

TEST(Inspection, OfADatabaseWithoutASchemaAsksWhoMayMakeOne) {
    const std::string url = PostgresServer::shared().create_database();
    const Inspection owner = inspect(url);
    EXPECT_TRUE(owner.may_migrate);
    EXPECT_EQ(owner.may_store, std::nullopt);
    EXPECT_FALSE(inspect(as_new_role(url, "inspector_of_nothing")).may_migrate);
}

TEST(Inspection, OfASchemaAsksWhoOwnsItAndWhoMayStore) {
    const std::string url = PostgresServer::shared().create_migrated_database();
    const Inspection owner = inspect(url);
    EXPECT_TRUE(owner.may_migrate);
    EXPECT_EQ(owner.may_store, true);

    const Inspection stranger = inspect(as_new_role(url, "inspector_stranger"));
    EXPECT_FALSE(stranger.may_migrate);
    EXPECT_EQ(stranger.may_store, false);

    const Inspection writer = inspect(as_new_role(
        url, "inspector_writer",
        "GRANT USAGE ON SCHEMA heiasync TO inspector_writer; GRANT INSERT ON heiasync.sync_runs TO inspector_writer"));
    EXPECT_FALSE(writer.may_migrate);
    EXPECT_EQ(writer.may_store, true);

    const Inspection reader = inspect(as_new_role(
        url, "inspector_reader",
        "GRANT USAGE ON SCHEMA heiasync TO inspector_reader; GRANT SELECT ON heiasync.sync_runs TO inspector_reader"));
    EXPECT_EQ(reader.may_store, false);
}

TEST(Inspection, FailsWhereThereIsNoDatabase) {
    try {
        inspect("postgresql:///nothing?host=/nowhere");
        FAIL() << "no exception";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.kind(), DatabaseError::Kind::away);
        EXPECT_THAT(error.what(), StartsWith("cannot connect to the database"));
    }
}

TEST(Inspection, TellsWhichTimeZonesTheServerDoesNotKnow) {
    const std::string url = PostgresServer::shared().create_database();
    EXPECT_THAT(unknown_time_zones(url, {"Europe/Helsinki", "UTC"}), IsEmpty());
    EXPECT_THAT(unknown_time_zones(url, {"Mars/Tharsis", "Europe/Helsinki", "Mars/Arsia_Mons"}),
                ElementsAre("Mars/Tharsis", "Mars/Arsia_Mons"));
}

}  // namespace
}  // namespace heiasync::history
