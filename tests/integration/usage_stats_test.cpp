#include "history/usage_stats.hpp"

#include "history_test.hpp"

#include <fmt/format.h>

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;

class UsageStatsTest : public HistoryTest {
protected:
    void store(std::int64_t organisation, const std::string& business_id, core::Date day, std::chrono::hours hour,
               std::optional<std::int64_t> accepted) {
        UsageStatsObservation observation;
        observation.sync_run_id = run;
        observation.organisation_id = organisation;
        observation.business_id = business_id;
        observation.observed_on = day;
        observation.observed_at = date::sys_days{day} + hour;
        observation.stats.hh_core_accepted_membership_count = accepted;
        transact([&](Transaction& transaction) { store_usage_stats(transaction, observation); });
    }

    std::int64_t run = start_manual_run(2026_y / 7 / 1);
};

TEST_F(UsageStatsTest, AnObservationIsStoredAsItWas) {
    UsageStatsObservation observation;
    observation.sync_run_id = run;
    observation.organisation_id = 840299;
    observation.business_id = "123-\xC3\xA4\\\"',{}\n\t";
    observation.observed_on = 2026_y / 7 / 1;
    observation.observed_at = date::sys_days{2026_y / 7 / 1} + 1h + 1us;
    observation.stats = {450, 220, 170, 5'000'000'000, 0, R"({"new": [1, "\u00e4"]})"};
    transact([&](Transaction& transaction) { store_usage_stats(transaction, observation); });
    EXPECT_THAT(
        query("SELECT * FROM heiasync.usage_stats"),
        ElementsAre(ElementsAre("840299", observation.business_id, "2026-07-01 01:00:00.000001+00", "2026-07-01", "450",
                                "220", "170", "5000000000", "0", "{\"new\": [1, \"\xC3\xA4\"]}", std::to_string(run))));
}

TEST_F(UsageStatsTest, AnAbsentFigureIsNoZero) {
    store(1, "", 2026_y / 7 / 1, 1h, {});
    EXPECT_THAT(query("SELECT hh_core_accepted_membership_count, app_use_count, extra FROM heiasync.usage_stats"),
                ElementsAre(ElementsAre("NULL", "NULL", "{}")));
}

TEST_F(UsageStatsTest, RowsOfOneTransactionGoTogetherAndAreThereForItsNextStatement) {
    transact([this](Transaction& transaction) {
        UsageStatsObservation observation;
        observation.sync_run_id = run;
        observation.observed_on = 2026_y / 7 / 1;
        for (const std::string business_id : {"", "NULL", "a\"\\,{}"}) {
            observation.organisation_id += 1;
            observation.business_id = business_id;
            observation.stats.extra = fmt::format(R"({{"id": "{}"}})", observation.organisation_id);
            store_usage_stats(transaction, observation);
        }
        EXPECT_EQ(accepted_members(transaction, observation.observed_on).size(), 3U);
        observation.organisation_id = 9;
        observation.stats.app_use_count = 5;
        store_usage_stats(transaction, observation);
    });
    const std::string none = "NULL";
    EXPECT_THAT(query("SELECT organisation_id, business_id, app_use_count, extra ->> 'id' FROM heiasync.usage_stats "
                      "ORDER BY organisation_id"),
                ElementsAre(ElementsAre("1", "", none, "1"), ElementsAre("2", "NULL", none, "2"),
                            ElementsAre("3", "a\"\\,{}", none, "3"), ElementsAre("9", "a\"\\,{}", "5", "3")));
}

TEST_F(UsageStatsTest, TheNewestObservationOfTheDayCounts) {
    constexpr core::Date yesterday = 2026_y / 6 / 30;
    static constexpr core::Date today = 2026_y / 7 / 1;
    store(2, "", today, 5h, 9);
    store(2, "", today, 7h, 4);
    store(2, "", today, 6h, 8);
    store(2, "b", today, 5h, {});
    store(1, "", today, 5h, 5);
    store(1, "", yesterday, 5h, 77);
    store(3, "", yesterday, 5h, 78);
    std::vector<std::string> found;
    for (const auto& members :
         transact([](Transaction& transaction) { return accepted_members(transaction, today); })) {
        found.push_back(std::to_string(members.organisation_id) + "/" + members.business_id + "=" +
                        (members.accepted ? std::to_string(*members.accepted) : "none"));
    }
    EXPECT_THAT(found, ElementsAre("1/=5", "2/=4", "2/b=none"));
}

}  // namespace
}  // namespace heiasync::history
