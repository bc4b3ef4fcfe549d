#include "history/standing.hpp"

#include "history/organisations.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

constexpr core::Date today = 2026_y / 7 / 3;
constexpr core::Date yesterday = 2026_y / 7 / 2;
const calendar::Period june{2026_y / 6 / 1, 2026_y / 6 / 30};
const calendar::Period may{2026_y / 5 / 1, 2026_y / 5 / 31};

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
        transact([&](Transaction& transaction) { record_task(transaction, task); });
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
            [this](Transaction& transaction) { return standing(transaction, expected, slot_of(today).at); });
    }

    /// `open/final` of the streams in their order.
    std::string gaps() {
        std::string text;
        for (const auto& [stream, gaps] : look().gaps) {
            text += std::to_string(gaps.open) + "/" + std::to_string(gaps.final) + " ";
        }
        return text;
    }

    Expectation expected{today, slot_of(today), true, {}, {}};
};

TEST_F(StandingTest, OfAHistoryThatHasNotBegunIsAllZero) {
    expected.past = {may};
    expected.due = {june};
    EXPECT_EQ(gaps(), "0/0 0/0 0/0 0/0 ");
    const Standing none = look();
    EXPECT_EQ(none.organisations, 0);
    EXPECT_EQ(none.held_back, 0);
    EXPECT_FALSE(none.period_missing);
    EXPECT_GT(none.schema_version, 10);
    EXPECT_GT(std::chrono::abs(none.clock_difference), 24h) << "the slot is not now";
    EXPECT_EQ(none.last_successes.at(Stream::reports), std::nullopt);
}

TEST_F(StandingTest, WhatFailedTodayIsOpenUntilItIsMendedAndLostWithItsDate) {
    const auto id = start(today);
    list(id, today);
    record(id, today, 1, Stream::usage_stats, TaskStatus::failed);
    record(id, today, 2, Stream::usage_stats, TaskStatus::done);
    record(id, today, 2, Stream::usage_stats, TaskStatus::failed, {"a", {}, {}});
    record(id, today, 1, Stream::reports, TaskStatus::failed);
    record(id, today, 2, Stream::reports, TaskStatus::done);
    finish(id, RunStatus::partial);
    EXPECT_EQ(gaps(), "0/0 2/0 0/0 1/0 ");
    expected.today = 2026_y / 7 / 4;
    EXPECT_EQ(gaps(), "0/0 0/2 0/0 1/0 ") << "the next slot is still to come: a report can be had then";
    expected.today = today;
    record(id, today, 1, Stream::usage_stats, TaskStatus::done);
    EXPECT_EQ(gaps(), "0/0 1/0 0/0 1/0 ");
}

TEST_F(StandingTest, WhatWasNeverAskedIsAGapOnceARunOfItsDateHasEnded) {
    whole_run(yesterday);
    EXPECT_EQ(gaps(), "0/0 0/0 0/0 0/0 ") << "the slot waits for its run";
    const auto id = start(today);
    EXPECT_EQ(gaps(), "0/0 0/0 0/0 0/0 ");
    list(id, today);
    record(id, today, 1, Stream::usage_stats, TaskStatus::done);
    finish(id, RunStatus::partial, "api_unavailable");
    EXPECT_EQ(gaps(), "0/0 1/0 0/0 2/0 ");
    expected.today = 2026_y / 7 / 4;
    EXPECT_EQ(gaps(), "0/0 0/1 0/0 2/0 ") << "before the next slot";
    expected.today = today;
    finish(start(today), RunStatus::succeeded);
    EXPECT_EQ(gaps(), "0/0 0/0 0/0 0/0 ") << "a run that came to its end asked it";
}

TEST_F(StandingTest, ADateWithoutARunIsLost) {
    whole_run(2026_y / 6 / 30);
    whole_run(today);
    EXPECT_EQ(gaps(), "0/2 0/4 0/0 0/0 ") << "1 and 2 July";
    finish(start(yesterday, "--stream reports"), RunStatus::succeeded);
    EXPECT_EQ(gaps(), "0/2 0/4 0/0 0/0 ");
}

TEST_F(StandingTest, ALossIsForgottenAfter400Days) {
    whole_run(2025_y / 5 / 20);
    query("UPDATE heiasync.sync_runs SET status = 'failed'");
    query("DELETE FROM heiasync.sync_tasks WHERE organisation_id = 1");
    const auto before = look().gaps.at(Stream::usage_stats).final;
    expected.today = 2026_y / 7 / 4;
    expected.last_due = slot_of(expected.today);
    EXPECT_EQ(look().gaps.at(Stream::usage_stats).final, before) << "a day more, and a day less";
}

TEST_F(StandingTest, EnergyLevelsAreLostWithTheLatenessOfTheirPeriod) {
    const auto id = whole_run(2026_y / 5 / 30);
    query(
        "INSERT INTO heiasync.sync_runs SELECT (jsonb_populate_record(r, jsonb_build_object("
        "'sync_run_id', 1000 + n, 'run_on', date '2026-05-30' + n))).* "
        "FROM heiasync.sync_runs r CROSS JOIN generate_series(1, 34) n");
    expected.due = {june};
    expected.past = {may};
    EXPECT_TRUE(look().period_missing);
    EXPECT_EQ(gaps(), "0/0 0/0 0/2 0/0 ") << "nobody asked for May";
    for (const std::int64_t organisation : {1, 2}) {
        record(id, today, organisation, Stream::energy_levels, TaskStatus::skipped, {"", june.start, {}});
    }
    EXPECT_TRUE(look().period_missing) << "2 has business ids";
    expected.energy_levels_per_business_id = false;
    EXPECT_FALSE(look().period_missing);
    record(id, today, 1, Stream::energy_levels, TaskStatus::skipped, {"", may.start, {}});
    record(id, today, 2, Stream::energy_levels, TaskStatus::failed, {"b", may.start, {}});
    EXPECT_EQ(gaps(), "0/0 0/0 0/2 0/0 ") << "2, and its b";
    record(id, today, 2, Stream::energy_levels, TaskStatus::failed, {"b", june.start, {}});
    EXPECT_EQ(gaps(), "0/0 0/0 1/2 0/0 ");
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
