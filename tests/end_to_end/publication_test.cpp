#include "installation.hpp"
#include "support/wait_until.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

void publish(const std::string& url) {
    std::ifstream file{HEIASYNC_PUBLICATION_SQL};
    query(url, {std::istreambuf_iterator<char>{file}, {}});
}

std::set<std::string> column(const std::string& url, const std::string& sql) {
    std::set<std::string> values;
    for (const auto& row : query(url, sql)) {
        values.insert(row.at(0));
    }
    return values;
}

const std::set<std::string> unpublished{"energy_level_originals", "report_originals", "report_sources", "run_lock",
                                        "schema_migrations"};

TEST(Publication, EveryTableIsInItButThoseThatMustNotBe) {
    const std::string url = PostgresServer::shared().create_migrated_database();
    const auto left_out = [&url] {
        return column(url,
                      "SELECT relname FROM pg_class WHERE relnamespace = 'heiasync'::regnamespace "
                      "AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN "
                      "(SELECT tablename FROM pg_publication_tables WHERE pubname = 'heiasync')");
    };
    publish(url);
    EXPECT_EQ(difference(unpublished, left_out()), "");
    query(url, "CREATE TABLE heiasync.of_a_later_migration (id bigint PRIMARY KEY)");
    publish(url);
    EXPECT_EQ(difference(unpublished, left_out()), "");
    EXPECT_EQ(column(url,
                     "SELECT prrelid::regclass FROM pg_publication_rel WHERE NOT EXISTS ("
                     "SELECT FROM pg_index WHERE indrelid = prrelid AND indisprimary)"),
              std::set<std::string>{})
        << "without a primary key the publisher could neither update nor delete";
}

/// A publisher with a history, and a subscriber with the same schema.
class Subscription : public ::testing::Test {
protected:
    Subscription() {
        query(history.database_url(), "ALTER SYSTEM SET wal_level = logical");
        publisher.stop(SIGINT);
        publisher.start();
        history.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    }

    std::vector<std::string> dump(const std::string& url, const std::string& relation) const {
        std::vector<std::string> rows;
        for (const auto& row : query(url, fmt::format("SELECT t::text FROM heiasync.{} AS t ORDER BY 1", relation))) {
            rows.push_back(row.at(0));
        }
        return rows;
    }

    /// Once what was committed before this call is there.
    void expect_same_relations() {
        query(history.database_url(),
              "INSERT INTO heiasync.schema_drift VALUES ('reports', '/the_last_one/' || clock_timestamp(), "
              "'unknown_field', 'null', now(), now())");
        const std::string last = "SELECT max(first_seen_at) FROM heiasync.schema_drift";
        wait_until([&] { return query_value(copy, last) == query_value(history.database_url(), last); });
        for (const auto& relation : column(copy,
                                           "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') "
                                           "AND relnamespace = 'heiasync'::regnamespace")) {
            if (unpublished.contains(relation)) {
                EXPECT_TRUE(relation == "run_lock" || relation == "schema_migrations" || dump(copy, relation).empty())
                    << relation;
            } else {
                EXPECT_EQ(dump(copy, relation), dump(history.database_url(), relation)) << relation;
            }
        }
    }

    PostgresServer publisher;
    Installation history{small_world(), publisher};
    std::string copy = PostgresServer::shared().create_migrated_database();
};

TEST_F(Subscription, HasWhatConsumersSee) {
    history.sync_on("2026-07-01");
    publish(history.database_url());
    query(copy,
          fmt::format("CREATE SUBSCRIPTION heiasync CONNECTION '{}' PUBLICATION heiasync", history.database_url()));
    wait_until(
        [this] { return query_value(copy, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel") == "t"; });
    expect_same_relations();

    history.sync_on("2026-07-02");
    expect_same_relations();

    query(history.database_url(), "UPDATE heiasync.sync_runs SET error = 'changed'");
    query(history.database_url(), "DELETE FROM heiasync.energy_level_results WHERE scope = 'team'");
    query(history.database_url(), "DELETE FROM heiasync.usage_stats WHERE business_id = ''");
    expect_same_relations();
    query(copy, "DROP SUBSCRIPTION heiasync");
}

}  // namespace

}  // namespace heiasync::testing
