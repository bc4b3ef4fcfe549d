#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;

std::string listing_task(const Installation& installation) {
    return installation.value(
        "SELECT status || coalesce(' ' || reason, '') FROM heiasync.sync_tasks WHERE stream = 'organisations' ORDER BY "
        "sync_task_id DESC LIMIT 1");
}

TEST(ShrunkListing, RemovesNoneUntilItIsAcceptedOrSeenOnThreeDates) {
    for (const bool accepted : {true, false}) {
        Installation installation;
        const auto organisations = installation.truth_on("2026-06-15").organisations();
        ASSERT_EQ(organisations.size(), 30U);
        for (std::size_t i = 0; i < 10; ++i) {
            installation.api().world().hide(organisations[i].id, instant_after_slot("2026-06-15"),
                                            instant_after_slot("2026-06-18"));
        }
        const auto listed = [&installation] {
            return installation.count("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL");
        };
        ASSERT_EQ(installation.sync_on("2026-06-14", {"--stream", "organisations"}).exit_code, exit_code::done);
        for (const auto* date : {"2026-06-15", "2026-06-16"}) {
            const auto outcome = installation.sync_on(date, {"--stream", "organisations"});
            EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
            EXPECT_THAT(outcome.out, HasSubstr("10 held back"));
            EXPECT_EQ(listing_task(installation), "failed listing_shrank: 10 of 30");
            EXPECT_EQ(listed(), 30);
            EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations WHERE last_seen_at < "
                                         "'2026-06-15'"),
                      10);
        }
        std::vector<std::string> arguments{"--stream", "organisations"};
        if (accepted) {
            arguments.emplace_back("--accept-vanished");
        }
        const auto* date = accepted ? "2026-06-16" : "2026-06-17";
        EXPECT_EQ(installation.sync_on(date, arguments).exit_code, exit_code::done);
        EXPECT_EQ(listed(), 20);
        EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT removed_at::date::text, ',') FROM "
                                     "heiasync.organisations WHERE removed_at IS NOT NULL"),
                  date);

        EXPECT_EQ(installation.sync_on("2026-06-18", {"--stream", "organisations"}).exit_code, exit_code::done);
        EXPECT_EQ(listed(), 30);
        EXPECT_EQ(installation.value(fmt::format("SELECT string_agg(listed::text, ',' ORDER BY valid_from) FROM "
                                                 "heiasync.organisation_history WHERE organisation_id = {}",
                                                 organisations.front().id)),
                  "true,false,true");
    }
}

TEST(ShrunkListing, ThatIsHeldBackMayRemoveOthersWhoAreNotAskedAnyMore) {
    Installation installation;
    const auto organisations = installation.truth_on("2026-06-15").organisations();
    const auto hide = [&](std::size_t first, std::size_t last, const char* since) {
        for (std::size_t i = first; i < last; ++i) {
            installation.api().world().hide(organisations[i].id, instant_after_slot(since));
        }
    };
    hide(0, 8, "2026-06-15");
    hide(8, 18, "2026-06-17");
    for (const auto* date : {"2026-06-14", "2026-06-15", "2026-06-16"}) {
        installation.sync_on(date, {"--stream", "organisations"});
    }
    const auto before = installation.api().requests().size();
    installation.sync_on("2026-06-17");
    EXPECT_EQ(listing_task(installation), "failed listing_shrank: 10 of 30");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NOT NULL"), 8);
    const auto requests = installation.api().requests();
    const auto asked = [&](std::int64_t id) {
        return std::any_of(requests.begin() + static_cast<std::ptrdiff_t>(before), requests.end(),
                           [id](const auto& request) { return request.organisation == id; });
    };
    EXPECT_FALSE(asked(organisations[0].id)) << "it has gone";
    EXPECT_TRUE(asked(organisations[8].id)) << "it is not believed to have gone";
    EXPECT_EQ(installation.count(fmt::format("SELECT count(*) FROM heiasync.sync_gaps WHERE expected_on = '2026-06-17' "
                                             "AND organisation_id = {}",
                                             organisations[0].id)),
              0);
}

TEST(ShrunkListing, WithoutAnyOrganisationIsTold) {
    Installation installation;
    for (const auto& organisation : installation.truth_on("2026-06-15").organisations()) {
        installation.api().world().hide(organisation.id);
    }
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("no organisation"));
}

}  // namespace

}  // namespace heiasync::testing
