#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;
using ::testing::HasSubstr;

/// One with members enough and reports to be read.
std::int64_t lively_organisation(const Truth& truth) {
    const auto organisations = truth.organisations();
    const auto found = std::ranges::find_if(organisations, [&](const auto& organisation) {
        return truth.accepted_members(organisation.id, {}).value_or(0) >= 5 &&
               truth.viewed_reports(organisation.id).size() >= 2;
    });
    return found->id;
}

/// One with reports to be read and a business id that nobody is mapped to: whether a 400 to that is a failure turns on
/// the call for the whole organisation.
std::int64_t with_unmapped_business_id(const Truth& truth) {
    for (const std::string& line : truth.unmapped_subjects()) {
        const std::int64_t id = std::stoll(line);
        if (truth.accepted_members(id, {}).value_or(0) >= 5 && !truth.viewed_reports(id).empty()) {
            return id;
        }
    }
    throw std::logic_error{"the world has no such organisation"};
}

Fault status(unsigned code, Operation operation, std::int64_t organisation) {
    Fault fault;
    fault.status = code;
    fault.operation = operation;
    fault.organisation = organisation;
    return fault;
}

std::set<std::string> without(std::set<std::string> lines, std::int64_t organisation) {
    std::erase_if(lines, [&](const std::string& line) { return std::stoll(line) == organisation; });
    return lines;
}

/// Everything of 1 July that is stored, for the organisations other than one.
void expect_everything_of_the_others(const Installation& installation, const Truth& truth, std::int64_t organisation) {
    EXPECT_EQ(
        difference(truth.organisation_ids(), installation.lines("SELECT organisation_id FROM heiasync.organisations")),
        "");
    EXPECT_EQ(
        difference(without(truth.usage_stats(), organisation),
                   without(installation.lines("SELECT organisation_id, business_id, total_membership_count, "
                                              "hh_core_total_membership_count, hh_core_accepted_membership_count, "
                                              "app_use_count, app_monthly_use_count FROM heiasync.usage_stats"),
                           organisation)),
        "");
    EXPECT_EQ(difference(without(truth.at_least(5), organisation),
                         without(installation.lines("SELECT organisation_id, business_id FROM heiasync.energy_levels"),
                                 organisation)),
              "");
    EXPECT_EQ(
        difference(without(truth.report_versions(), organisation),
                   without(installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports"),
                           organisation)),
        "");
}

TEST(Failures, OneOrganisationThatAnswers500ToEverythingLeavesAllOthersInPlace) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    const auto truth = installation.truth_on("2026-07-01");
    const auto broken = lively_organisation(truth);
    Fault fault;
    fault.status = 500;
    fault.organisation = broken;
    installation.api().fail(fault);

    const auto outcome = installation.sync_on("2026-07-01");
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "partial");
    expect_everything_of_the_others(installation, truth, broken);

    EXPECT_EQ(difference({fmt::format("{}|usage_stats|500", broken), fmt::format("{}|reports|500", broken)},
                         installation.lines(
                             "SELECT DISTINCT organisation_id, stream, http_status FROM heiasync.sync_tasks WHERE "
                             "status = 'failed' AND stream IN ('usage_stats', 'reports')")),
              "");
    EXPECT_EQ(
        installation.count(fmt::format(
            "SELECT count(*) FROM heiasync.sync_tasks WHERE organisation_id = {} AND status <> 'failed'", broken)),
        0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed' AND error IS NULL"),
              0);
    EXPECT_EQ(installation.count("SELECT failures FROM heiasync.sync_runs"),
              installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed'"));

    // And once it answers again, the same day is completed.
    installation.api().clear_faults();
    const auto again = installation.sync_on("2026-07-01");
    EXPECT_EQ(again.exit_code, exit_code::done) << again;
    EXPECT_EQ(difference(truth.at_least(5),
                         installation.lines("SELECT organisation_id, business_id FROM heiasync.energy_levels")),
              "");
    EXPECT_EQ(difference(truth.report_versions(),
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
}

TEST(Failures, EachCallFailsForItself) {
    for (const auto operation :
         {Operation::stats, Operation::energy_levels, Operation::reports, Operation::full_data}) {
        Installation installation;
        installation.make_every_count_known("2026-07-01");
        const auto truth = installation.truth_on("2026-07-01");
        const auto broken = lively_organisation(truth);
        installation.api().fail(status(404, operation, broken));

        const auto outcome = installation.sync_on("2026-07-01");
        EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
        expect_everything_of_the_others(installation, truth, broken);
        EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT organisation_id::text, ',') FROM heiasync.sync_tasks "
                                     "WHERE status = 'failed'"),
                  std::to_string(broken));
        const auto works = [&](Operation other, const char* relation) {
            const auto rows = installation.count(fmt::format(
                "SELECT count(*) FROM heiasync.{} WHERE organisation_id = {} AND business_id = ''", relation, broken));
            EXPECT_EQ(rows > 0, operation != other) << relation << " where " << to_string(operation) << " fails";
        };
        works(Operation::stats, "usage_stats");
        if (operation != Operation::stats) {  // which decide whether energy levels are asked for
            works(Operation::energy_levels, "energy_levels");
        }
        if (operation != Operation::full_data) {
            works(Operation::reports, "reports");
        } else {
            EXPECT_EQ(installation.count(fmt::format("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed' "
                                                     "AND stream = 'reports' AND report_id IS NOT NULL AND http_status "
                                                     "= 404")),
                      static_cast<std::int64_t>(truth.viewed_reports(broken).size()));
        }
    }
}

TEST(Failures, WhatIsFinalIsAskedOnce) {
    for (const auto code : {400U, 403U, 404U}) {
        Installation installation;
        const auto truth = installation.truth_on("2026-06-15");
        const auto broken = lively_organisation(truth);
        installation.api().fail(status(code, Operation::stats, broken));
        EXPECT_EQ(installation.sync_on("2026-06-15", {"--organisation", std::to_string(broken)}).exit_code,
                  exit_code::incomplete);
        EXPECT_EQ(installation.value("SELECT attempts || ' ' || http_status FROM heiasync.sync_tasks WHERE stream = "
                                     "'usage_stats' AND business_id = '' AND status = 'failed'"),
                  fmt::format("1 {}", code));
    }
}

TEST(Failures, WhatPassesIsTriedAgain) {
    for (const auto kind : {Fault::Kind::status, Fault::Kind::drop, Fault::Kind::reset, Fault::Kind::truncate}) {
        Installation installation;
        const auto truth = installation.truth_on("2026-06-15");
        const auto shaky = lively_organisation(truth);
        auto fault = status(503, Operation::stats, shaky);
        fault.kind = kind;
        fault.times = 2;
        installation.api().fail(fault);
        const auto outcome = installation.sync_on("2026-06-15", {"--organisation", std::to_string(shaky)});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        EXPECT_EQ(installation.value("SELECT status || ' ' || attempts FROM heiasync.sync_tasks WHERE stream = "
                                     "'usage_stats' AND business_id = ''"),
                  // The first drop looks like a kept connection that the server had closed: no attempt.
                  kind == Fault::Kind::drop ? "done 2" : "done 3");
    }
}

TEST(Failures, AnApiThatAsksForMorePatienceThanWeHaveEndsTheRun) {
    Installation installation;
    Fault patience;
    patience.status = 503;
    patience.retry_after = "3600";
    patience.operation = Operation::stats;
    patience.after = 10;
    installation.api().fail(patience);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "partial");
    const auto requests = installation.api().requests();
    EXPECT_EQ(std::ranges::count(requests, 503U, &simulator::Request::status), 1);
    EXPECT_EQ(requests.back().status, 503U) << "nothing is asked after it";
    EXPECT_THAT(installation.value("SELECT error FROM heiasync.sync_runs"), HasSubstr("api_unavailable"));
    EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT coalesce(http_status::text, reason), ',') FROM "
                                 "heiasync.sync_tasks WHERE status = 'failed'"),
              "503,not_asked");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed' AND attempts > 0"),
              1);
}

TEST(Failures, AnApiThatAsksForALittleMorePatienceIsAskedAgainInTheSecondPass) {
    Installation installation;
    Fault patience;
    patience.status = 429;
    patience.retry_after = "1";
    patience.operation = Operation::stats;
    patience.after = 10;
    patience.times = 1;
    installation.api().fail(patience);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "succeeded");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE stream = 'usage_stats' AND attempts > "
                                 "1"),
              1)
        << "the others were held before they were sent";
}

TEST(Failures, WhatFailsInTheFirstPassIsAskedOnceMoreAndRecordedOnce) {
    const std::vector<std::pair<Operation, const char*>> calls{{Operation::organisations, "organisations"},
                                                               {Operation::stats, "usage_stats"},
                                                               {Operation::energy_levels, "energy_levels"},
                                                               {Operation::reports, "reports"},
                                                               {Operation::full_data, "reports"}};
    for (const auto& [operation, stream] : calls) {
        Installation installation;
        installation.make_every_count_known("2026-07-01");
        const auto truth = installation.truth_on("2026-07-01");
        Fault fault = status(500, operation, with_unmapped_business_id(truth));
        if (operation == Operation::organisations) {
            fault.organisation.reset();
        }
        fault.times = 3;
        installation.api().fail(fault);
        const auto outcome = installation.sync_on("2026-07-01");
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        expect_everything_of_the_others(installation, truth, 0);
        EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_tasks WHERE status = 'failed'"), 0);
        EXPECT_EQ(
            installation.value(fmt::format("SELECT string_agg(attempts::text, ',') FROM heiasync.sync_tasks WHERE "
                                           "attempts > 2 AND stream = '{}'",
                                           stream)),
            operation == Operation::organisations || operation == Operation::reports ? "5" : "4");
        EXPECT_EQ(installation.count("SELECT count(*) FROM (SELECT FROM heiasync.sync_tasks GROUP BY organisation_id, "
                                     "business_id, stream, period_start, report_id HAVING count(*) > 1) AS doubled"),
                  0);
    }
}

TEST(Failures, AnApiThatGoesInTheSecondPassLeavesNoTaskOut) {
    Installation installation;
    Fault fault;
    fault.operation = Operation::stats;
    fault.status = 503;
    installation.api().fail(fault);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    const auto truth = installation.truth_on("2026-06-15");
    auto subjects = truth.mapped_subjects();
    subjects.merge(truth.unmapped_subjects());
    EXPECT_EQ(difference(subjects, installation.lines("SELECT organisation_id, business_id FROM heiasync.sync_tasks "
                                                      "WHERE stream = 'usage_stats' AND http_status = 503")),
              "");
}

TEST(Failures, AnApiThatIsGoneOrSilentIsGivenUpAfterFiveCalls) {
    for (const auto kind : {Fault::Kind::status, Fault::Kind::hang}) {
        for (const unsigned after : {3U, 20U}) {
            Installation installation;
            if (kind == Fault::Kind::hang) {
                installation.config()["api"]["request_timeout"] = "700ms";
            }
            ASSERT_EQ(installation.sync_on("2026-06-14", {"--stream", "organisations"}).exit_code, exit_code::done);
            installation.api().clear_observations();
            Fault gone;
            gone.kind = kind;
            gone.status = 503;
            gone.after = after;
            installation.api().fail(gone);
            const auto outcome = installation.sync_on("2026-06-15");
            EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
            EXPECT_THAT(outcome.err, HasSubstr("5 calls in a row"));
            EXPECT_EQ(installation.api().requests().size(), after + 3 + 4)
                << "as often as the settings say, then once each";
            EXPECT_EQ(installation.value("SELECT failures FROM heiasync.sync_runs ORDER BY sync_run_id DESC LIMIT 1"),
                      "5");
            installation.api().clear_faults();
            EXPECT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
        }
    }
}

TEST(Failures, AnApiThatIsSilentFromTheFirstCallOnEndsTheRun) {
    Installation installation;
    installation.config()["api"]["request_timeout"] = "700ms";
    Fault silent;
    silent.kind = Fault::Kind::hang;
    installation.api().fail(silent);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("POST /oauth/token"));
    EXPECT_EQ(installation.api().requests().size(), 3U);
}

TEST(Failures, ClocksThatAreTooFarApartEndTheRun) {
    auto options = small_world();
    options.date_skew = std::chrono::minutes{11};
    Installation installation{options};
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("clock_skew"));
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "failed");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.sync_tasks"), 0);
}

TEST(Failures, AnAnswerThatIsNoJsonFailsItsTaskAlone) {
    for (const auto kind : {Fault::Kind::html, Fault::Kind::empty, Fault::Kind::cut_short}) {
        Installation installation;
        installation.make_every_count_known("2026-07-01");
        const auto truth = installation.truth_on("2026-07-01");
        const auto broken = lively_organisation(truth);
        Fault fault;
        fault.kind = kind;
        fault.organisation = broken;
        installation.api().fail(fault);
        const auto outcome = installation.sync_on("2026-07-01");
        EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
        expect_everything_of_the_others(installation, truth, broken);
        EXPECT_EQ(installation.value(
                      "SELECT string_agg(DISTINCT organisation_id || ' ' || reason, ',') FROM "
                      "heiasync.sync_tasks WHERE status = 'failed' AND stream <> 'energy_levels' AND business_id = ''"),
                  fmt::format("{} not_decodable", broken));
    }
}

TEST(Failures, AServerThatHangsIsGivenUpAfterTheTimeOut) {
    Installation installation;
    const auto truth = installation.truth_on("2026-06-15");
    const auto broken = lively_organisation(truth);
    installation.config()["api"]["request_timeout"] = "700ms";
    auto fault = status(0, Operation::stats, broken);
    fault.kind = Fault::Kind::hang;
    installation.api().fail(fault);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT organisation_id || ' ' || reason, ',') FROM "
                                 "heiasync.sync_tasks WHERE status = 'failed'"),
              fmt::format("{} transport", broken));
}

TEST(Failures, ATokenThatExpiresInTheMiddleIsRenewedOnce) {
    Installation installation;
    Fault fault;
    fault.kind = Fault::Kind::expired_token;
    fault.operation = Operation::stats;
    fault.after = 10;
    fault.times = 1;
    installation.api().fail(fault);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.requests(Operation::token), 2U);
    const auto requests = installation.api().requests();
    EXPECT_EQ(std::ranges::count(requests, 401U, &simulator::Request::status), 1);
    const auto truth = installation.truth_on("2026-06-15");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.usage_stats"),
              static_cast<std::int64_t>(truth.usage_stats().size()));
    EXPECT_EQ(difference(truth.report_versions(),
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
}

TEST(Failures, ATokenThatIsNeverGoodEnoughEndsWith77) {
    Installation installation;
    Fault fault;
    fault.status = 401;
    fault.operation = Operation::organisations;
    installation.api().fail(fault);
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::rejected) << outcome;
    EXPECT_LE(installation.requests(Operation::token), 2U) << "renewed once";
}

TEST(Failures, AListingThatBreaksOffRemovesNobody) {
    auto options = small_world();
    options.page_cap = 10;
    Installation installation{options};
    ASSERT_EQ(installation.sync_on("2026-06-15", {"--stream", "organisations"}).exit_code, exit_code::done);
    const auto known = installation.count("SELECT count(*) FROM heiasync.organisations");
    Fault fault;
    fault.status = 500;
    fault.operation = Operation::organisations;
    fault.after = 1;
    installation.api().fail(fault);
    const auto outcome = installation.sync_on("2026-06-16");
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL"), known);
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs ORDER BY sync_run_id DESC LIMIT 1"), "partial");
    EXPECT_EQ(installation.count("SELECT count(DISTINCT organisation_id) FROM heiasync.usage_stats"), known)
        << "it goes on with those known";
}

}  // namespace

}  // namespace heiasync::testing
