#include "history/standing.hpp"

#include "history/organisations.hpp"
#include "history/sync_tasks.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

constexpr core::Date today = 2026_y / 7 / 3;
const calendar::Period june{2026_y / 6 / 1, 2026_y / 6 / 30};

calendar::Slot slot_of(core::Date date) {
    return {date, date::sys_days{date} + 90min};
}

class StandingTest : public HistoryTest {
protected:
    std::int64_t start(core::Date date, const std::optional<std::string>& limited_to = {}) {
        NewRun row;
        row.run_on = date;
        row.scheduled_for = slot_of(date).at;
        row.started_at = slot_of(date).at;
        row.limited_to = limited_to;
        row.host = "host";
        row.version = "1";
        return transact([&](Transaction& transaction) { return start_run(transaction, row); });
    }

    void finish(std::int64_t id, RunStatus status, const std::optional<std::string>& error = {}) {
        RunSummary summary;
        summary.finished_at = slot_of(today).at;
        summary.status = status;
        summary.error = error;
        transact([&](Transaction& transaction) { finish_run(transaction, id, summary); });
    }

    /// Organisations 1 and 2; 2 has two business ids.
    void list(std::int64_t run_id, core::Date date) {
        Listing listing;
        listing.sync_run_id = run_id;
        listing.run_on = date;
        listing.listed_at = slot_of(date).at;
        documents::Organisation one;
        one.id = 1;
        documents::Organisation two;
        two.id = 2;
        two.multi_business_id = true;
        two.business_ids = {"a", "b"};
        listing.organisations = {one, two};
        transact([&](Transaction& transaction) { return store_listing(transaction, listing); });
        record(run_id, date, 0, Stream::organisations, TaskStatus::done);
    }

    struct Details {
        std::string business_id;
        std::optional<core::Date> period_start;
        std::optional<std::string> reason;
    };
    void record(std::int64_t run_id, core::Date date, std::int64_t organisation_id, Stream stream, TaskStatus status,
                const Details& details = {}) {
        TaskRecord task;
        task.sync_run_id = run_id;
        task.run_on = date;
        task.organisation_id = organisation_id;
        task.stream = stream;
        task.status = status;
        task.business_id = details.business_id;
        task.period_start = details.period_start;
        task.reason = details.reason;
        task.started_at = slot_of(date).at;
        task.finished_at = slot_of(date).at;
        transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    }

    /// A run that asked everything but energy levels.
    std::int64_t whole_run(core::Date date) {
        const auto id = start(date);
        list(id, date);
        for (const std::int64_t organisation : {1, 2}) {
            record(id, date, organisation, Stream::usage_stats, TaskStatus::done);
            record(id, date, organisation, Stream::reports, TaskStatus::done);
        }
        finish(id, RunStatus::succeeded);
        return id;
    }

    Standing look() {
        return transact(
            [this](Transaction& transaction) { return standing(transaction, expected, slot_of(today).at, gaps); });
    }

    Expectation expected;
    GapCounter gaps;
};

TEST_F(StandingTest, OfAHistoryThatHasNotBegunIsAllZero) {
    expected.due = {june};
    const Standing none = look();
    EXPECT_EQ(none.gaps.size(), 4U);
    EXPECT_EQ(none.gaps.at(Stream::usage_stats).open, 0);
    EXPECT_EQ(none.organisations, 0);
    EXPECT_EQ(none.held_back, 0);
    EXPECT_FALSE(none.period_missing);
    EXPECT_GT(none.schema_version, 10);
    EXPECT_GT(std::chrono::abs(none.clock_difference), 24h) << "the slot is not now";
    EXPECT_EQ(none.last_successes.at(Stream::reports), std::nullopt);
}

TEST_F(StandingTest, APeriodIsMissingUntilEachOfItsCellsIsSettled) {
    const auto id = whole_run(today);
    EXPECT_FALSE(look().period_missing);
    expected.due = {june};
    EXPECT_TRUE(look().period_missing);
    for (const std::int64_t organisation : {1, 2}) {
        record(id, today, organisation, Stream::energy_levels, TaskStatus::skipped, {"", june.start, {}});
    }
    EXPECT_TRUE(look().period_missing) << "2 has business ids";
    expected.energy_levels_per_business_id = false;
    EXPECT_FALSE(look().period_missing);
}

TEST_F(StandingTest, CountsTheOrganisationsAndThoseHeldBack) {
    const auto id = whole_run(today);
    EXPECT_EQ(look().organisations, 2);
    EXPECT_EQ(look().held_back, 0);
    record(id, today, 0, Stream::organisations, TaskStatus::failed, {"", {}, "listing_shrank: 7 of 20"});
    EXPECT_EQ(look().held_back, 7);
    record(id, today, 0, Stream::organisations, TaskStatus::failed, {"", {}, "listing_incomplete"});
    EXPECT_EQ(look().held_back, 0);
}

}  // namespace
}  // namespace heiasync::history
