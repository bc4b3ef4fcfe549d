#include "history/gaps.hpp"

#include "calendar/calendar.hpp"
#include "days_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

class GapsTest : public DaysTest {
protected:
    /// `usage_stats 2|a open no_run`.
    std::vector<std::string> gaps_of(const std::string& date) {
        std::vector<std::string> lines;
        for (const Gap& gap :
             transact([&](Transaction& transaction) { return gaps(transaction, core::parse_date(date)); })) {
            lines.push_back(fmt::format("{} {}|{} {} {}", to_string(gap.stream), gap.organisation_id, gap.business_id,
                                        gap.is_open ? "open" : "final", gap.reason));
        }
        return lines;
    }
    /// `ready complete`, each t, f or -.
    std::string state_of(const std::string& date) {
        const auto word = [](const std::optional<bool>& answer) { return !answer ? "-" : *answer ? "t" : "f"; };
        const DateState state =
            transact([&](Transaction& transaction) { return date_state(transaction, core::parse_date(date)); });
        return fmt::format("{} {}", word(state.ready), word(state.complete));
    }
};

TEST_F(GapsTest, NothingIsExpectedBeforeTheFirstListing) {
    now("2026-06-11 12:00");
    EXPECT_EQ(transact([](Transaction& transaction) { return history_dates(transaction); }), std::nullopt);
    EXPECT_EQ(state_of("2026-06-10"), "- -");
    EXPECT_EQ(state_of("2026-06-01"), "- -") << "nor on the day after a period";
    whole_days(6, 10, 11);
    EXPECT_THAT(gaps_of("2026-06-09"), IsEmpty());
    EXPECT_EQ(state_of("2026-06-09"), "- -");
    EXPECT_EQ(state_of("2026-06-10"), "t t");
    EXPECT_EQ(transact([](Transaction& transaction) { return history_dates(transaction); })->first, 2026_y / 6 / 10);
}

TEST_F(GapsTest, ADateWithoutARun) {
    whole_day("2026-06-10");
    whole_day("2026-06-12");
    now("2026-06-12 12:00");
    EXPECT_THAT(gaps_of("2026-06-11"),
                ElementsAre("organisations 0| final no_run", "usage_stats 1| final no_run",
                            "usage_stats 2| final no_run", "usage_stats 2|a final no_run",
                            "usage_stats 2|b final no_run", "reports 1| final no_run", "reports 2| final no_run"));
    EXPECT_EQ(state_of("2026-06-11"), "f f");
    EXPECT_EQ(state_of("2026-06-12"), "t t");
}

TEST_F(GapsTest, ASlotToComeIsNoGapAndOneThatPassedIsOpen) {
    whole_day("2026-06-10");
    now("2026-06-11 04:29");
    EXPECT_THAT(gaps_of("2026-06-11"), IsEmpty());
    EXPECT_EQ(state_of("2026-06-11"), "f f");
    EXPECT_EQ(state_of("2026-06-12"), "f f");
    now("2026-06-11 04:30");
    EXPECT_EQ(gaps_of("2026-06-11").size(), 7U);
    EXPECT_EQ(gaps_of("2026-06-11").front(), "organisations 0| open no_run");
    now("2026-06-12 00:00");
    EXPECT_EQ(gaps_of("2026-06-11").front(), "organisations 0| final no_run");
}

TEST_F(GapsTest, ARunThatIsGoingMayFillItForTwoHoursAfterItsDate) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "running");
    list(id, "2026-06-11");
    now("2026-06-12 01:59");
    EXPECT_EQ(gaps_of("2026-06-11").front(), "usage_stats 1| open not_asked");
    EXPECT_EQ(state_of("2026-06-11"), "f f");
    now("2026-06-12 02:00");
    EXPECT_EQ(gaps_of("2026-06-11").front(), "usage_stats 1| final not_asked");
}

TEST_F(GapsTest, AHoleInTheMiddle) {
    whole_days(6, 10, 14);
    query("DELETE FROM heiasync.usage_stats WHERE observed_on = '2026-06-12' AND business_id = 'a'");
    now("2026-06-14 12:00");
    EXPECT_THAT(gaps_of("2026-06-12"), ElementsAre("usage_stats 2|a final not_asked"));
    EXPECT_EQ(state_of("2026-06-12"), "t f");
}

TEST_F(GapsTest, AFailureSaysWhyAndWhetherItIsAskedAgain) {
    const auto id = whole_day("2026-06-10");
    query("DELETE FROM heiasync.usage_stats WHERE business_id IN ('', 'b')");
    task(id, "2026-06-10", 1, "usage_stats", "failed", {"", "", "", "transport", ""});
    task(id, "2026-06-10", 2, "usage_stats", "failed", {"", "", "", "not_found", "404"});
    task(id, "2026-06-10", 2, "usage_stats", "skipped", {"b", "", "", "business_id_not_mapped", "400"});
    now("2026-06-10 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("usage_stats 1| open transport", "usage_stats 2| final not_found"));
    EXPECT_EQ(state_of("2026-06-10"), "f f");
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("usage_stats 1| final transport", "usage_stats 2| final not_found"));
    EXPECT_EQ(state_of("2026-06-10"), "t f");
    EXPECT_EQ(query_value("SELECT last_error || ' ' || last_attempt_at::text FROM heiasync.sync_gaps "
                          "WHERE expected_on = '2026-06-10' AND organisation_id = 1"),
              "it failed 2026-06-10 01:31:00+00");
}

TEST_F(GapsTest, ARunThatEndedEarlyIsTheLastErrorOfWhatItDidNotAsk) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "failed", "the API is not available");
    list(id, "2026-06-11");
    now("2026-06-12 12:00");
    EXPECT_EQ(gaps_of("2026-06-11").front(), "usage_stats 1| final not_asked");
    EXPECT_EQ(query_value("SELECT DISTINCT last_error FROM heiasync.sync_gaps WHERE expected_on = '2026-06-11'"),
              "the API is not available");
    EXPECT_EQ(state_of("2026-06-11"), "t f") << "nothing more is to come";
}

TEST_F(GapsTest, AListingThatShrankCountsAsTheKnownOrganisationsAndIsAGap) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "partial");
    list(id, "2026-06-11", "{3}", true, true);
    task(id, "2026-06-11", 0, "organisations", "failed", {"", "", "", "listing_shrank: 2 of 2", ""});
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-11"),
                IsSupersetOf({"organisations 0| open listing_shrank: 2 of 2", "usage_stats 1| open not_asked",
                              "usage_stats 2|a open not_asked", "usage_stats 3| open not_asked"}));
}

TEST_F(GapsTest, WhoAListingThatWasHeldBackRemovedIsNotExpected) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "partial");
    list(id, "2026-06-11", "{3}", true, true);
    query(
        "INSERT INTO heiasync.organisation_versions (organisation_id, name, multi_business_id, business_ids, listed, "
        "valid_from, last_seen_at) VALUES (1, 'o', false, '{}', false, '2026-06-11 04:30+03', '2026-06-10 04:30+03')");
    now("2026-06-12 12:00");
    for (const char* date : {"2026-06-11", "2026-06-12"}) {
        const auto gaps = gaps_of(date);
        EXPECT_EQ(std::ranges::count_if(gaps, [](const auto& gap) { return gap.starts_with("usage_stats 1|"); }), 0);
        EXPECT_EQ(std::ranges::count_if(gaps, [](const auto& gap) { return gap.starts_with("usage_stats 2|"); }), 3);
    }
    query(
        "INSERT INTO heiasync.organisation_versions (organisation_id, name, multi_business_id, business_ids, listed, "
        "valid_from) VALUES (1, 'o', false, '{}', true, '2026-06-12 04:30+03')");
    list(run("2026-06-12"), "2026-06-12");
    EXPECT_THAT(gaps_of("2026-06-12"), IsSupersetOf({"usage_stats 1| open not_asked"})) << "it is back";
}

TEST_F(GapsTest, AnIncompleteListingIsAGapAndChangesNothingThatIsExpected) {
    whole_day("2026-06-10");
    const auto id = run("2026-06-11", "partial");
    list(id, "2026-06-11", "{1,4}", false);
    task(id, "2026-06-11", 0, "organisations", "failed", {"", "", "", "listing_incomplete", "500"});
    now("2026-06-11 12:00");
    const auto gaps = gaps_of("2026-06-11");
    EXPECT_EQ(gaps.size(), 7U);
    EXPECT_EQ(gaps.front(), "organisations 0| open listing_incomplete");
}

TEST_F(GapsTest, EnergyLevelsAreOfWhoIsListedOnceThePeriodHasClosed) {
    whole_days(6, 29, 30);
    now("2026-07-01 04:30");
    EXPECT_EQ(gaps_of("2026-07-01").size(), 7U) << "nobody knows yet who is there";
    // In Finland it is July from 21:00 UTC on.
    const auto early = run("2026-07-01");
    query(
        fmt::format("UPDATE heiasync.sync_runs SET started_at = '2026-07-01 02:59+03' WHERE sync_run_id = {}", early));
    list(early, "2026-07-01", "{1}");
    EXPECT_EQ(std::ranges::count_if(gaps_of("2026-07-01"), [](const auto& gap) { return gap.starts_with("energy"); }),
              0);
    const auto id = whole_day("2026-07-01");
    EXPECT_THAT(gaps_of("2026-07-01"),
                ElementsAre("energy_levels 1| open not_asked", "energy_levels 2| open not_asked",
                            "energy_levels 2|a open not_asked", "energy_levels 2|b open not_asked"));
    task(id, "2026-07-01", 1, "energy_levels", "skipped",
         {"", "2026-06-01", "", "below_minimum_accepted_members: 4 of 5", ""});
    task(id, "2026-07-01", 2, "energy_levels", "failed", {"a", "2026-06-01", "", "gate_unknown", ""});
    whole_days(7, 2, 8);
    const auto last = whole_day("2026-07-09");
    task(last, "2026-07-08", 2, "energy_levels", "failed", {"b", "2026-06-01", "", "not_found", "404"});
    now("2026-07-08 23:59");
    EXPECT_THAT(gaps_of("2026-07-01"),
                ElementsAre("energy_levels 2| open not_asked", "energy_levels 2|a open gate_unknown",
                            "energy_levels 2|b open not_found"));
    EXPECT_EQ(state_of("2026-07-01"), "f f");
    now("2026-07-09 00:00");
    EXPECT_THAT(gaps_of("2026-07-01"),
                ElementsAre("energy_levels 2| final too_late", "energy_levels 2|a final gate_unknown",
                            "energy_levels 2|b final not_found"));
    EXPECT_EQ(state_of("2026-07-01"), "t f");
}

TEST_F(GapsTest, ADateAfterAPeriodIsNotReadyBeforeItIsKnownWhoseEnergyLevelsAreDue) {
    whole_days(6, 29, 30);
    const auto early = whole_day("2026-07-01");
    query(
        fmt::format("UPDATE heiasync.sync_runs SET started_at = '2026-07-01 02:59+03', scheduled_for = '2026-07-01 "
                    "02:59+03' WHERE sync_run_id = {}",
                    early));
    query("UPDATE heiasync.settings_history SET daily_at = '02:59'");
    now("2026-07-01 23:00");
    EXPECT_THAT(gaps_of("2026-07-01"), IsEmpty());
    EXPECT_EQ(state_of("2026-07-01"), "f f") << "the period had not closed when the run began";
    now("2026-07-08 23:00");
    EXPECT_EQ(state_of("2026-07-01"), "f f");
    now("2026-07-09 00:00");
    EXPECT_EQ(state_of("2026-07-01"), "t f") << "nothing more is to come, and something will be missing";
    const auto id = whole_day("2026-07-02");
    for (const auto& [organisation, business_id] :
         {std::pair{1, ""}, std::pair{2, ""}, std::pair{2, "a"}, std::pair{2, "b"}}) {
        task(id, "2026-07-02", organisation, "energy_levels", "skipped", {business_id, "2026-06-01", "", "below", ""});
    }
    EXPECT_EQ(state_of("2026-07-01"), "t t");
}

TEST_F(GapsTest, ARunOfTheLastDateMayBringEnergyLevelsForTwoHoursMore) {
    whole_days(6, 29, 30);
    whole_days(7, 1, 7);
    const auto id = run("2026-07-08", "running");
    query(fmt::format("UPDATE heiasync.sync_runs SET limited_to = '--organisation 1' WHERE sync_run_id = {}", id));
    now("2026-07-09 01:59");
    EXPECT_THAT(gaps_of("2026-07-01"), IsSupersetOf({"energy_levels 1| open not_asked"}));
    EXPECT_THAT(gaps_of("2026-07-08"), IsSupersetOf({"usage_stats 1| open no_run"})) << "it may fill that, too";
    EXPECT_EQ(state_of("2026-07-01"), "f f");
    now("2026-07-09 02:00");
    EXPECT_THAT(gaps_of("2026-07-01"), IsSupersetOf({"energy_levels 1| final too_late"}));
    EXPECT_THAT(gaps_of("2026-07-08"), IsSupersetOf({"usage_stats 1| final no_run"}));
}

TEST_F(GapsTest, ARunByHandFulfilsASlotThatIsSetToBeforeIt) {
    const auto id = whole_day("2026-06-10");
    query("UPDATE heiasync.settings_history SET daily_at = '06:00'");
    query(
        fmt::format("UPDATE heiasync.sync_runs SET scheduled_for = NULL, started_at = '2026-06-10 05:00+03' "
                    "WHERE sync_run_id = {}",
                    id));
    now("2026-06-10 12:00");
    EXPECT_EQ(state_of("2026-06-10"), "f f") << "the slot has had no run";
    set_settings("2026-06-10 05:30+03", true);
    EXPECT_EQ(state_of("2026-06-10"), "t t");
}

TEST_F(GapsTest, DatesAreTheSameInEveryZoneOfWhoAsks) {
    whole_days(8, 30, 31);
    whole_days(9, 1, 10);
    query("DELETE FROM heiasync.usage_stats WHERE organisation_id = 1");
    now("2026-09-10 12:00");
    // There, 6 September begins at 01:00.
    for (const char* zone : {"UTC", "America/Santiago", "Pacific/Apia"}) {
        EXPECT_EQ(query_value(fmt::format("SET TIME ZONE '{}'; SELECT max(expected_on) || ' ' || count(*) FROM "
                                          "heiasync.sync_gaps WHERE stream = 'usage_stats'",
                                          zone)),
                  "2026-09-10 12")
            << zone;
        EXPECT_EQ(query_value(fmt::format("SET TIME ZONE '{}'; SELECT max(expected_on) || ' ' || count(DISTINCT "
                                          "expected_on) FROM heiasync.expected('2026-09-04', '2026-09-08')",
                                          zone)),
                  "2026-09-08 5")
            << zone;
    }
}

TEST_F(GapsTest, EnergyLevelsOfAPeriodThatClosedBeforeTheHistoryBeganAreNotExpected) {
    whole_day("2026-07-03");
    now("2026-07-20 12:00");
    EXPECT_THAT(gaps_of("2026-07-01"), IsEmpty());
    EXPECT_THAT(gaps_of("2026-07-03"), IsEmpty());
}

TEST_F(GapsTest, AReportIsAGapOfTheDateOnWhichItWasFirstListed) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    now("2026-06-10 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| open not_asked"));
    task(id, "2026-06-10", 1, "reports", "failed", {"", "", "9", "too_large", "200"});
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| open too_large"));

    const auto next = whole_day("2026-06-11");
    task(next, "2026-06-11", 1, "reports", "failed", {"", "", "9", "transport", ""});
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| open transport"));
    EXPECT_THAT(gaps_of("2026-06-11"), IsEmpty());
    whole_day("2026-06-12");
    now("2026-06-12 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final transport")) << "it is no longer listed";
}

TEST_F(GapsTest, AReportThatIsGeneratedAgainReplacesWhatIsMissing) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    const auto next = whole_day("2026-06-11");
    list_report(next, "2026-06-10 00:00+03");
    task(next, "2026-06-11", 1, "reports", "failed", {"", "", "9", "transport", ""});
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final superseded")) << "what failed was the newer one";
    EXPECT_THAT(gaps_of("2026-06-11"), ElementsAre("reports 1| open transport"));
    task(id, "2026-06-09", 1, "reports", "failed", {"", "", "9", "too_large", "200"});
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final too_large"));
}

TEST_F(GapsTest, WhatFailedOfAReportBeforeAVersionWasListedSaysNothingOfTheVersion) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    task(id, "2026-06-10", 1, "reports", "failed", {"", "", "9", "http_404", "404"});
    const auto next = whole_day("2026-06-11");
    list_report(next, "2026-06-11 00:00+03");
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final http_404"));
    EXPECT_THAT(gaps_of("2026-06-11"), ElementsAre("reports 1| open not_asked"));
    task(next, "2026-06-11", 1, "reports", "failed", {"", "", "9", "transport", ""});
    EXPECT_THAT(gaps_of("2026-06-11"), ElementsAre("reports 1| open transport"));
}

TEST_F(GapsTest, AnOrganisationWhoseReceiptIsLiftedIsExpectedFromTheNextListingOn) {
    whole_day("2026-06-10");
    whole_day("2026-06-11");
    query(
        "DELETE FROM heiasync.usage_stats WHERE organisation_id = 1; "
        "INSERT INTO heiasync.erasures (what, organisation_id, erased_at, erased_by, rows) "
        "VALUES ('organisation', 1, '2026-06-11 10:00+03', 'somebody', 2)");
    whole_day("2026-06-12");
    const auto missing = [this](const std::string& date) {
        return query_value(
            fmt::format("SELECT count(*) FROM heiasync.expected('{0}', '{0}') WHERE organisation_id = 1", date));
    };
    now("2026-06-14 12:00");
    EXPECT_EQ(missing("2026-06-12"), "0");
    query("UPDATE heiasync.erasures SET lifted_at = '2026-06-12 12:00+03'");
    for (const char* date : {"2026-06-10", "2026-06-11", "2026-06-12"}) {
        EXPECT_EQ(missing(date), "0") << date;
        EXPECT_THAT(gaps_of(date), IsEmpty()) << date;
    }
    whole_day("2026-06-13");
    EXPECT_EQ(missing("2026-06-13"), "2");
}

TEST_F(GapsTest, AReportIsLostByAWholeRunThatDoesNotListItAndBackWithOneThatDoes) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    task(id, "2026-06-10", 1, "reports", "failed", {"", "", "9", "transport", ""});
    const auto limited = whole_day("2026-06-11");
    query(fmt::format("UPDATE heiasync.sync_runs SET limited_to = '--stream reports' WHERE sync_run_id = {}", limited));
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| open transport")) << "by no run over everything";
    whole_day("2026-06-12");
    now("2026-06-12 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final transport"));
    const auto again = whole_day("2026-06-13");
    task(again, "2026-06-13", 1, "reports", "failed", {"", "", "9", "http_500", "500"});
    now("2026-06-13 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| open http_500"));
}

TEST_F(GapsTest, AReportOfAnOrganisationThatHasGoneIsLost) {
    const auto id = whole_day("2026-06-10");
    list_report(id, "2026-06-09 00:00+03");
    query(
        "INSERT INTO heiasync.organisation_versions (organisation_id, name, multi_business_id, business_ids, listed, "
        "valid_from, last_seen_at) VALUES (1, 'o', false, '{}', false, '2026-06-11 04:30+03', '2026-06-10 04:30+03')");
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), ElementsAre("reports 1| final organisation_removed"));
}

TEST_F(GapsTest, SettingsOfTheEveningDoNotDecideAboutTheMorning) {
    whole_day("2026-06-10");
    query("DELETE FROM heiasync.usage_stats WHERE business_id <> ''");
    query("UPDATE heiasync.settings_history SET stats_per_business_id = false");
    set_settings("2026-06-10 20:00+03", true);
    now("2026-06-11 12:00");
    EXPECT_THAT(gaps_of("2026-06-10"), IsEmpty());
    EXPECT_THAT(gaps_of("2026-06-11"), IsSupersetOf({"usage_stats 2|a open no_run"}));
}

TEST_F(GapsTest, NothingIsExpectedOfWhatWasErased) {
    whole_day("2026-06-10");
    now("2026-06-11 12:00");
    query(
        "INSERT INTO heiasync.erasures (what, organisation_id, erased_at, erased_by, rows) "
        "VALUES ('organisation', 2, '2026-06-11', 'somebody', 1)");
    EXPECT_THAT(gaps_of("2026-06-11"),
                ElementsAre("organisations 0| open no_run", "usage_stats 1| open no_run", "reports 1| open no_run"));
}

TEST_F(GapsTest, ExpectedTellsTheCellsOfARange) {
    whole_days(6, 10, 12);
    now("2026-06-12 12:00");
    EXPECT_EQ(query_value("SELECT count(*) || ' ' || count(DISTINCT expected_on) "
                          "FROM heiasync.expected('2026-06-01', '2026-06-11')"),
              "14 2");
    EXPECT_EQ(query_value("SELECT max(expected_on) FROM heiasync.expected('2026-06-12', '9999-12-31')"), "2027-06-13")
        << "of dates to come those of a year";
    EXPECT_EQ(
        query_value("SELECT heiasync.ready('infinity')::text || coalesce(heiasync.ready('-infinity')::text, '-') || "
                    "heiasync.complete('infinity')"),
        "false-false");
    EXPECT_THAT(query("SELECT stream, count(*) FROM heiasync.expected('2026-06-12', '2026-06-12') GROUP BY 1"),
                UnorderedElementsAre(ElementsAre("organisations", "1"), ElementsAre("usage_stats", "4"),
                                     ElementsAre("reports", "2")));
}

TEST_F(GapsTest, AreCountedByStreamAndTodayOnlyOnceARunHasEnded) {
    whole_day("2026-06-10");
    whole_day("2026-06-12");
    GapCounter counter;
    const auto counts = [&] {
        std::string text;
        for (const auto& [stream, count] :
             transact([&](Transaction& transaction) { return counter.count(transaction); })) {
            text += fmt::format("{}/{} ", count.open, count.final);
        }
        return text;
    };
    now("2026-06-13 12:00");
    EXPECT_EQ(counts(), "0/1 0/4 0/0 0/2 ");
    const auto id = run("2026-06-13", "running");
    EXPECT_EQ(counts(), "0/1 0/4 0/0 0/2 ");
    query(fmt::format(
        "UPDATE heiasync.sync_runs SET status = 'failed', finished_at = started_at WHERE sync_run_id = {}", id));
    EXPECT_EQ(counts(), "1/1 4/4 0/0 2/2 ");
    now("2027-07-15 12:00");
    EXPECT_EQ(counts(), "0/398 0/1592 0/0 0/796 ") << "of 400 days, without the one that had its run and today";
}

TEST_F(GapsTest, WhoCountsAgainLooksOnlyAtDatesThatMayStillChange) {
    GapCounter counter;
    const auto total = [this](GapCounter& by) {
        std::int64_t sum = 0;
        for (const auto& [stream, count] : transact([&](Transaction& transaction) { return by.count(transaction); })) {
            sum += count.open + count.final;
        }
        return sum;
    };
    const auto expect_the_same = [&](const std::string& when) {
        GapCounter anew;
        EXPECT_EQ(total(counter), total(anew)) << when;
    };
    std::int64_t id = 0;
    for (int day = 10; day < 30; ++day) {
        const auto date = fmt::format("2026-06-{}", day);
        now(date + " 12:00");
        if (day % 5 != 0) {
            id = whole_day(date);
        }
        if (day == 12) {
            list_report(id, "2026-06-12 00:00+03");
        }
        expect_the_same(date);
    }
    // The energy levels of June are missing until they are brought late.
    for (int day = 1; day < 20; ++day) {
        const auto date = fmt::format("2026-07-{:02}", day);
        now(date + " 12:00");
        id = whole_day(date);
        expect_the_same(date);
    }
    for (const auto& [organisation, business_id] :
         {std::pair{1, ""}, std::pair{2, ""}, std::pair{2, "a"}, std::pair{2, "b"}}) {
        task(id, "2026-07-19", organisation, "energy_levels", "skipped", {business_id, "2026-06-01", "", "gate", ""});
    }
    task(id, "2026-07-19", 1, "reports", "failed", {"", "", "9", "transport", ""});
    expect_the_same("brought late");
    query(
        "INSERT INTO heiasync.erasures (what, organisation_id, erased_at, erased_by, rows) "
        "VALUES ('organisation', 1, now(), 'somebody', 1)");
    expect_the_same("erased");
    query("UPDATE heiasync.erasures SET lifted_at = '2026-06-01'");
    expect_the_same("lifted");

    const auto before = total(counter);
    query("DELETE FROM heiasync.usage_stats WHERE observed_on = '2026-06-11'");
    EXPECT_EQ(total(counter), before) << "nothing can happen to that date";
}

TEST_F(GapsTest, SlotsAndEndsOfDatesAreThoseOfTheCalendar) {
    std::mt19937 random{7};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same dates each time
    const std::array zones{"Europe/Helsinki",     "UTC",          "America/Sao_Paulo", "America/St_Johns",
                           "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza"};
    std::vector<core::Date> dates{2011_y / 12 / 29, 2011_y / 12 / 30, 2011_y / 12 / 31, 2026_y / 3 / 29,
                                  2026_y / 10 / 25, 2018_y / 11 / 4,  2018_y / 2 / 17,  2026_y / 4 / 5};
    for (int i = 0; i < 60; ++i) {
        dates.push_back(core::Date{date::sys_days{2010_y / 1 / 1} + date::days{static_cast<int>(random() % 7000)}});
    }
    std::string values;
    std::vector<std::vector<std::string>> slots;
    const auto seconds = [](core::Instant instant) { return std::to_string(instant.time_since_epoch() / 1s); };
    for (const char* zone : zones) {
        for (const core::Date date : dates) {
            const std::chrono::minutes daily_at{random() % 5 == 0 ? random() % 1440 : 15 * (random() % 16)};
            const auto slot = calendar::slot_of(date, daily_at, calendar::find_zone(zone));
            const auto day = core::format_date(date);
            slots.push_back({zone, day, slot ? seconds(slot->at) : "NULL",
                             slot ? seconds(calendar::end_of_date(date, calendar::find_zone(zone))) : "NULL"});
            values += fmt::format("{}('{}', '{}', '{:02}:{:02}')", values.empty() ? "" : ", ", zone, day,
                                  daily_at.count() / 60, daily_at.count() % 60);
        }
    }
    EXPECT_EQ(
        query("SELECT zone, day, extract(epoch FROM slot)::bigint, "
              "CASE WHEN slot IS NOT NULL THEN extract(epoch FROM heiasync.end_of_date(day::date, zone))::bigint END "
              "FROM (SELECT zone, day, heiasync.slot_of(day::date, daily_at::time, zone) AS slot "
              "      FROM (VALUES " +
              values + ") AS asked (zone, day, daily_at)) AS answered"),
        slots);
}

}  // namespace
}  // namespace heiasync::history
