#include "content.hpp"
#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;

/// What docs/operating.md says of backups: a dump of the schema, and back into a server that knows nothing.
TEST(Restore, IntoANewServerIsTheSameHistoryAndGoesOn) {
    PostgresServer elsewhere;
    Installation installation{tiny_world()};
    installation.make_every_count_known("2026-06-02");
    for (const auto* date : {"2026-06-02", "2026-07-01", "2026-07-03"}) {
        ASSERT_EQ(installation.sync_on(date).exit_code, exit_code::done);
    }
    installation.execute(
        "DELETE FROM heiasync.usage_stats WHERE observed_on = '2026-07-01' AND organisation_id = "
        "(SELECT min(organisation_id) FROM heiasync.usage_stats)");
    const auto before = installation.dump({"run_lock"});
    const auto gaps = installation.run({"gaps", "--json"});
    ASSERT_EQ(gaps.exit_code, exit_code::incomplete) << gaps;
    const auto why = installation.run({"why", "2026-07-01", "--json"});
    const std::string functions =
        "SELECT string_agg(heiasync.ready(day::date)::text || heiasync.complete(day::date), ' ' ORDER BY day) "
        "FROM generate_series('2026-06-01'::timestamp, '2026-07-04', '1 day') AS day";
    const auto answers = installation.value(functions);

    const auto tool = [&](const std::string& command) {
        const auto outcome =
            Process{{"/bin/sh", "-c", ". \"$0\" && \"$(scratch_postgres_bin)\"/" + command, HEIASYNC_POSTGRES_SCRIPT}}
                .wait();
        EXPECT_EQ(outcome.exit_code, 0) << outcome;
    };
    const auto dump = (installation.directory() / "heiasync.dump").string();
    tool(fmt::format("pg_dump --format=custom --schema=heiasync --file='{}' '{}'", dump, installation.database_url()));
    const std::string url = elsewhere.create_database();
    std::ifstream roles{HEIASYNC_ROLES_SQL};
    query(url, {std::istreambuf_iterator<char>{roles}, {}});
    tool(fmt::format("pg_restore --clean --if-exists --exit-on-error --dbname='{}' '{}'", url, dump));
    installation.look_at(url);
    installation.config()["database"]["url"] = url;

    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");
    EXPECT_THAT(installation.run({"rebuild"}).out, HasSubstr(" 0 changed, 0 damaged"));
    EXPECT_EQ(installation.run({"gaps", "--json"}).out, gaps.out);
    EXPECT_EQ(installation.run({"why", "2026-07-01", "--json"}).out, why.out);
    EXPECT_EQ(installation.value(functions), answers);
    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");

    EXPECT_EQ(installation.sync_on("2026-07-04").exit_code, exit_code::done);
    EXPECT_EQ(installation.value("SELECT heiasync.complete('2026-07-04')"), "t");
}

}  // namespace
}  // namespace heiasync::testing
