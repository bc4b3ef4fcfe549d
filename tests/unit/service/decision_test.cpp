#include "service/decision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::service {
namespace {

using history::DayRun;
using history::RunStatus;
using history::Trigger;
using namespace std::chrono_literals;

core::Instant at(const std::string& text) {
    return core::parse_instant(text);
}

/// 15 June in Helsinki: its slot is at half past four, its end at midnight.
core::Instant local(const std::string& time) {
    return at("2026-06-15T" + time + ":00+03:00");
}
const core::Instant slot = local("04:30");
const core::Instant tomorrow = at("2026-06-16T04:30:00+03:00");

Schedule helsinki() {
    Schedule schedule;
    schedule.zone = &calendar::find_zone("Europe/Helsinki");
    schedule.daily_at = 4h + 30min;
    schedule.retry_interval = 1h;
    return schedule;
}

DayRun of_slot(const std::string& from, const std::string& to, RunStatus status) {
    return {1, slot, local(from), local(to), status};
}

DayRun manual(const std::string& from, const std::string& to, RunStatus status) {
    return {1, std::nullopt, local(from), local(to), status};
}

struct Case {
    std::string name;
    std::vector<DayRun> runs;
    bool mendable = false;
    std::string now;
    std::string expected;
    std::optional<core::Instant> awaited = std::nullopt;

    friend std::ostream& operator<<(std::ostream& stream, const Case& item) { return stream << item.name; }
};

/// `retry` for the slot, `resume manually`, `wait until 2026-06-15T02:30:00Z`, `look again`.
std::string words(const Decision& decision) {
    switch (decision.kind) {
        case Decision::Kind::run:
            if (decision.scheduled_for) {
                EXPECT_EQ(*decision.scheduled_for, slot);
            }
            return std::string{history::to_string(decision.trigger)} + (decision.scheduled_for ? "" : " manually");
        case Decision::Kind::wait:
            return "wait until " + core::format_instant(decision.until + 3h).substr(5, 11);
        case Decision::Kind::look_again:
            return "look again";
    }
    return "";
}

class Decide : public ::testing::TestWithParam<Case> {};

TEST_P(Decide, FromTheLedger) {
    history::DayState today;
    today.runs = GetParam().runs;
    today.mendable = GetParam().mendable;
    for (std::size_t i = 0; i < today.runs.size(); ++i) {
        today.runs[i].sync_run_id = static_cast<std::int64_t>(i + 10);
    }
    const Decision decision = decide(today, local(GetParam().now), helsinki(), GetParam().awaited);
    EXPECT_EQ(words(decision), GetParam().expected);
    EXPECT_EQ(decision.last_run, today.runs.empty() ? 0 : today.runs.back().sync_run_id);
}

using enum RunStatus;

INSTANTIATE_TEST_SUITE_P(
    Before, Decide,
    ::testing::Values(
        Case{"TheSlot", {}, false, "04:29", "wait until 06-15T04:30"},
        Case{"ARunInHandElsewhere", {manual("04:00", "04:00", running)}, false, "04:29", "wait until 06-15T04:30"},
        Case{
            "AManualRunThatSucceeded", {manual("01:00", "02:00", succeeded)}, false, "04:29", "wait until 06-15T04:30"},
        Case{"AManualRunThatFailed", {manual("01:00", "02:00", failed)}, true, "04:29", "wait until 06-15T04:30"},
        Case{"AManualRunThatDied", {manual("01:00", "02:00", interrupted)}, false, "04:29", "resume manually"},
        Case{"ASlotThatRanAlready", {of_slot("04:30", "04:45", succeeded)}, false, "03:00", "wait until 06-16T04:30"}),
    [](const auto& item) { return item.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Due, Decide,
    ::testing::Values(
        Case{"AndAwaited", {}, false, "04:30", "schedule", slot},
        Case{"AndDelayed", {}, false, "06:00", "schedule", slot}, Case{"AndMissed", {}, false, "23:59", "catch_up"},
        Case{"AndAnotherWasAwaited", {}, false, "12:00", "catch_up", local("23:00")},
        Case{"AfterAManualRun", {manual("04:00", "04:40", succeeded)}, false, "04:40", "schedule", slot},
        Case{"AfterAManualRunThatDied", {manual("04:00", "05:00", interrupted)}, false, "05:00", "catch_up"},
        Case{"AndAManualRunInHand", {manual("04:00", "04:00", running)}, false, "04:30", "look again", slot}),
    [](const auto& item) { return item.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Fulfilled, Decide,
    ::testing::Values(
        Case{"ByTheSlotsRun", {of_slot("04:30", "04:45", succeeded)}, false, "04:45", "wait until 06-16T04:30"},
        Case{"ByAManualRunAfterTheSlot",
             {manual("04:31", "04:45", succeeded)},
             false,
             "04:45",
             "wait until 06-16T04:30"},
        Case{"ByARetry",
             {of_slot("04:30", "04:45", partial), of_slot("05:45", "05:46", succeeded)},
             true,
             "05:46",
             "wait until 06-16T04:30"},
        Case{"WhateverAManualRunFailedAtLater",
             {of_slot("04:30", "04:45", succeeded), manual("12:00", "12:10", failed)},
             true,
             "20:00",
             "wait until 06-16T04:30"},
        Case{"AndAManualRunDiedLater",
             {of_slot("04:30", "04:45", succeeded), manual("12:00", "12:10", interrupted)},
             false,
             "12:10",
             "resume manually"},
        Case{"AndAManualRunIsInHand",
             {of_slot("04:30", "04:45", succeeded), manual("12:00", "12:00", running)},
             false,
             "12:10",
             "wait until 06-16T04:30"}),
    [](const auto& item) { return item.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Begun, Decide,
    ::testing::Values(
        Case{"AndDied", {of_slot("04:30", "04:45", interrupted)}, false, "04:45", "resume"},
        Case{"AndDiedAgain",
             {of_slot("04:30", "04:45", partial), of_slot("05:45", "05:46", interrupted)},
             true,
             "05:46",
             "resume"},
        Case{"ByHandAndDied", {manual("04:31", "04:45", interrupted)}, false, "04:45", "resume"},
        Case{"AndInHandElsewhere", {of_slot("04:30", "04:30", running)}, false, "04:45", "look again"},
        Case{"AndPartial", {of_slot("04:30", "04:45", partial)}, true, "04:45", "wait until 06-15T05:45"},
        Case{"AndPartialForAnHour", {of_slot("04:30", "04:45", partial)}, true, "05:45", "retry"},
        Case{"ByHandAndPartial", {manual("04:31", "04:45", partial)}, true, "05:45", "retry"},
        Case{"AndFailed", {of_slot("04:30", "04:45", failed)}, true, "05:45", "retry"},
        Case{"AndNothingToMend", {of_slot("04:30", "04:45", partial)}, false, "05:45", "wait until 06-16T04:30"},
        Case{"AndTheDateEndsBefore", {of_slot("22:30", "23:00", partial)}, true, "23:00", "wait until 06-16T04:30"},
        Case{"AndTheDateHardlyEndsBefore",
             {of_slot("22:30", "22:59", partial)},
             true,
             "23:00",
             "wait until 06-15T23:59"},
        Case{"AndRetried",
             {of_slot("04:30", "04:45", partial), of_slot("05:45", "05:50", partial)},
             true,
             "06:00",
             "wait until 06-15T06:50"}),
    [](const auto& item) { return item.param.name; });

/// At noon, daily_at is no longer what it was.
Decision at_noon_with(std::chrono::minutes daily_at, std::vector<DayRun> runs) {
    Schedule schedule = helsinki();
    schedule.daily_at = daily_at;
    history::DayState today;
    today.runs = std::move(runs);
    return decide(today, local("12:00"), schedule, slot);
}

TEST(DecideAnew, AnEarlierSlotIsDueAtOnce) {
    const Decision decision = at_noon_with(4h, {});
    EXPECT_EQ(decision.kind, Decision::Kind::run);
    EXPECT_EQ(decision.trigger, Trigger::catch_up);
    EXPECT_EQ(decision.scheduled_for, local("04:00"));
}

TEST(DecideAnew, ALaterSlotIsNoSecondOne) {
    const Decision decision = at_noon_with(23h, {of_slot("04:30", "04:45", succeeded)});
    EXPECT_EQ(decision.kind, Decision::Kind::wait);
    EXPECT_EQ(decision.until, at("2026-06-16T23:00:00+03:00"));
}

TEST(DecideAnew, AManualRunBeforeTheLaterSlotDoesNotFulfilIt) {
    EXPECT_EQ(at_noon_with(23h, {manual("11:00", "11:10", succeeded)}).until, local("23:00"));
}

TEST(DecideAnew, AContinuationKeepsTheSlotOfItsRun) {
    const Decision decision = at_noon_with(23h, {of_slot("04:30", "04:45", interrupted)});
    EXPECT_EQ(decision.trigger, Trigger::resume);
    EXPECT_EQ(decision.scheduled_for, slot);
}

TEST(DecideAnew, NextSlotsFollowTheZone) {
    Schedule apia = helsinki();
    apia.zone = &calendar::find_zone("Pacific/Apia");
    history::DayState done;
    const core::Instant last = at("2011-12-29T04:30:00-10:00");
    done.runs = {{1, last, last, last + 5min, succeeded}};
    EXPECT_EQ(decide(done, last + 5min, apia, last).until, at("2011-12-31T04:30:00+14:00")) << "there was no 30th";
}

}  // namespace
}  // namespace heiasync::service
