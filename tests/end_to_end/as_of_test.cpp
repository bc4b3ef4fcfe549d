#include "content.hpp"
#include "installation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>

namespace heiasync::testing {

namespace {

constexpr std::array relations{"organisations", "usage_stats", "energy_levels", "reports"};

/// What each relation had after each of the syncs is what it had as of then, when all of them are over.
TEST(AsOf, IsWhatWasThereThen) {
    Installation installation{tiny_world()};
    auto& world = installation.api().world();
    const auto organisations = installation.truth_on("2026-06-02").organisations();
    world.rename(organisations[0].id, "Renamed", instant_after_slot("2026-07-01"));
    world.hide(organisations[1].id, instant_after_slot("2026-07-01"), instant_after_slot("2026-08-01"));
    const auto rows = [&installation](const std::string& relation) {
        return installation.value(
            fmt::format("SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM {} AS t", relation));
    };

    std::map<std::string, std::map<std::string, std::string>> snapshots;  // by instant and relation
    for (const auto* date : {"2026-06-02", "2026-07-01", "2026-07-02", "2026-08-01", "2026-11-02"}) {
        installation.make_every_count_known(date);
        ASSERT_EQ(installation.sync_on(date).exit_code, exit_code::done);
        auto& snapshot = snapshots[installation.value("SELECT max(finished_at) FROM heiasync.sync_runs")];
        for (const auto* relation : relations) {
            snapshot[relation] = rows(fmt::format("heiasync.{}", relation));
        }
    }
    ASSERT_EQ(snapshots.size(), 5U);
    for (const auto* relation : relations) {
        std::set<std::string> states;
        for (const auto& [instant, snapshot] : snapshots) {
            EXPECT_TRUE(rows(fmt::format("heiasync.{}_as_of('{}')", relation, instant)) == snapshot.at(relation))
                << relation << " as of " << instant;
            states.insert(snapshot.at(relation));
        }
        EXPECT_GT(states.size(), 2U) << relation << ": there was something to tell apart";
        EXPECT_EQ(rows(fmt::format("heiasync.{}_as_of('2026-06-01')", relation)), "");
    }
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.reports WHERE NOT is_latest_version"), 0)
        << "a version that was the latest one then is not any more";
}

}  // namespace
}  // namespace heiasync::testing
