#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using simulator::Operation;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto stored_usage_stats =
    "SELECT organisation_id, business_id, total_membership_count, hh_core_total_membership_count, "
    "hh_core_accepted_membership_count, app_use_count, app_monthly_use_count FROM heiasync.usage_stats";
constexpr auto stored_reports = "SELECT organisation_id, report_id, generated_at FROM heiasync.reports";

std::set<std::string> tasks(const Installation& installation, const std::string& where) {
    return installation.lines("SELECT organisation_id, business_id FROM heiasync.sync_tasks WHERE " + where);
}

TEST(Sync, TheMiddleOfAMonthBringsEverythingButEnergyLevels) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto truth = installation.truth_on("2026-06-15");

    EXPECT_EQ(
        difference(truth.organisation_ids(), installation.lines("SELECT organisation_id FROM heiasync.organisations")),
        "");
    EXPECT_EQ(difference(truth.usage_stats(), installation.lines(stored_usage_stats)), "");
    EXPECT_EQ(difference(truth.report_versions(), installation.lines(stored_reports)), "");
    EXPECT_FALSE(truth.report_versions().empty());

    EXPECT_EQ(installation.requests(Operation::energy_levels), 0U);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels"), 0);
    EXPECT_THAT(outcome.out + outcome.err, ContainsRegex("energy levels: .*(clos|late|due)")) << "it says why not";

    EXPECT_EQ(installation.value("SELECT trigger || ' ' || run_on || ' ' || status FROM heiasync.sync_runs"),
              "manual 2026-06-15 succeeded");
    EXPECT_EQ(installation.value("SELECT scheduled_for FROM heiasync.sync_runs"), "NULL");
    EXPECT_EQ(installation.count("SELECT requests FROM heiasync.sync_runs"),
              static_cast<std::int64_t>(installation.api().requests().size()));
    EXPECT_EQ(installation.count("SELECT organisations FROM heiasync.sync_runs"),
              static_cast<std::int64_t>(truth.organisations().size()));
    EXPECT_GT(installation.count("SELECT bytes_received FROM heiasync.sync_runs"), 0);
    EXPECT_EQ(installation.count("SELECT failures FROM heiasync.sync_runs"), 0);
}

TEST(Sync, TheFirstOfAMonthPullsExactlyThoseWithEnoughAcceptedMembers) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    const auto outcome = installation.sync_on("2026-07-01");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto truth = installation.truth_on("2026-07-01");

    ASSERT_TRUE(std::ranges::any_of(truth.organisations(), [&](const auto& organisation) {
        return truth.accepted_members(organisation.id, {}) == 5;
    })) << "somebody is to be exactly at the gate";
    EXPECT_EQ(difference(truth.at_least(5),
                         installation.lines("SELECT organisation_id, business_id FROM heiasync.energy_levels WHERE "
                                            "period_start = '2026-06-01' AND period_end = '2026-06-30' AND "
                                            "days_late = 0")),
              "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels"),
              static_cast<std::int64_t>(truth.at_least(5).size()));
    EXPECT_EQ(installation.requests(Operation::energy_levels), truth.at_least(5).size());
    EXPECT_EQ(difference(truth.at_least(5), tasks(installation,
                                                  "stream = 'energy_levels' AND status = 'done' AND period_start = "
                                                  "'2026-06-01'")),
              "");
    for (const auto& request : installation.api().requests()) {
        if (request.operation == Operation::energy_levels) {
            EXPECT_EQ(request.query.at("start_date"), "2026-06-01");
            EXPECT_EQ(request.query.at("end_date"), "2026-06-30");
        }
    }
}

TEST(Sync, WhoIsBelowTheGateIsSkippedWithTheFigure) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    const auto truth = installation.truth_on("2026-07-01");

    std::set<std::string> below;
    for (const auto& line : truth.below(5)) {
        const auto accepted = truth.accepted_members(std::stoll(line), line.substr(line.find('|') + 1));
        below.insert(fmt::format("{}|below_minimum_accepted_members: {} of 5", line, accepted.value()));
    }
    for (const auto& line : truth.unmapped_subjects()) {
        below.insert(line + "|business_id_not_mapped");
    }
    EXPECT_EQ(difference(below, installation.lines(
                                    "SELECT organisation_id, business_id, reason FROM heiasync.sync_tasks WHERE stream "
                                    "= 'energy_levels' AND status = 'skipped' AND period_start = '2026-06-01'")),
              "");
    ASSERT_FALSE(truth.below(5).empty());
    ASSERT_TRUE(std::ranges::any_of(truth.below(5), [](const auto& line) { return !line.ends_with('|'); }))
        << "a business id is to be below while its organisation is not";
    ASSERT_FALSE(truth.unmapped_subjects().empty());

    const auto pulled = truth.at_least(5).size();

    // For good: the next day asks for them no more, even where they have grown since.
    const auto grown = std::stoll(*truth.below(5).begin());
    installation.api().world().set_stats(grown, {}, {50, 40, 30, 20, 10});
    ASSERT_EQ(installation.sync_on("2026-07-02").exit_code, exit_code::done);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels WHERE days_late > 0"), 0);
    EXPECT_EQ(installation.requests(Operation::energy_levels), pulled);
}

TEST(Sync, TheGateIsThatOfTheConfiguration) {
    Installation installation;
    installation.config()["energy_levels"]["minimum_accepted_members"] = 20;
    installation.make_every_count_known("2026-07-01");
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    const auto truth = installation.truth_on("2026-07-01");
    ASSERT_NE(truth.at_least(20), truth.at_least(5));
    EXPECT_EQ(difference(truth.at_least(20), installation.lines("SELECT organisation_id, business_id FROM "
                                                                "heiasync.energy_levels")),
              "");
}

TEST(Sync, AnUnknownNumberOfAcceptedMembersIsNoNumber) {
    Installation installation;
    const auto truth = installation.truth_on("2026-07-01");
    ASSERT_FALSE(truth.unknown_count().empty());
    const auto outcome = installation.sync_on("2026-07-01");
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "partial");
    EXPECT_EQ(difference(truth.unknown_count(), tasks(installation,
                                                      "status = 'failed' AND stream = 'energy_levels' AND "
                                                      "reason = 'gate_unknown'")),
              "");
    EXPECT_EQ(installation.requests(Operation::energy_levels), truth.at_least(5).size());

    // The cell stays open: it is pulled on the first day on which the number is known.
    const auto id = std::stoll(*truth.unknown_count().begin());
    installation.api().world().set_stats(id, {}, {50, 40, 30, 20, 10});
    installation.sync_on("2026-07-02");
    EXPECT_EQ(
        installation.count(fmt::format("SELECT days_late FROM heiasync.energy_levels WHERE organisation_id = {}", id)),
        1);
}

TEST(Sync, TwiceOnADayDownloadsNothingTwice) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    const auto rows = [&](const std::string& relation) {
        return installation.count("SELECT count(*) FROM heiasync." + relation);
    };
    const auto stats = rows("usage_stats");
    const auto reports = rows("reports");
    const auto energy_levels = rows("energy_levels");
    const auto results = rows("report_results") + rows("energy_level_results");
    ASSERT_GT(reports, 0);
    ASSERT_GT(energy_levels, 0);
    const auto downloads = installation.requests(Operation::full_data);
    const auto pulls = installation.requests(Operation::energy_levels);

    const auto again = installation.sync_on("2026-07-01");
    EXPECT_EQ(again.exit_code, exit_code::done) << again;
    EXPECT_EQ(installation.requests(Operation::full_data), downloads);
    EXPECT_EQ(installation.requests(Operation::energy_levels), pulls);
    EXPECT_EQ(rows("reports"), reports);
    EXPECT_EQ(rows("energy_levels"), energy_levels);
    EXPECT_EQ(rows("report_results") + rows("energy_level_results"), results);
    EXPECT_EQ(rows("usage_stats"), 2 * stats) << "live values are observed again";
    EXPECT_EQ(rows("settings_history"), 1);
    EXPECT_EQ(rows("organisation_history"), rows("organisations")) << "nothing about them has changed";
}

TEST(Sync, ThreeDaysIntoTheMonthEnergyLevelsAreTwoDaysLate) {
    Installation installation;
    installation.make_every_count_known("2026-07-03");
    ASSERT_EQ(installation.sync_on("2026-07-03").exit_code, exit_code::done);
    EXPECT_EQ(difference({"2026-06-01|2026-06-30|2"}, installation.lines("SELECT DISTINCT period_start, period_end, "
                                                                         "days_late FROM heiasync.energy_levels")),
              "");
}

TEST(Sync, EnergyLevelsAreDueForAsLongAsTheConfigurationSays) {
    Installation installation;
    const auto id = std::stoll(*installation.truth_on("2026-07-09").at_least(5).begin());
    const std::vector<std::string> one{"--organisation", std::to_string(id)};
    const auto too_late = installation.sync_on("2026-07-09", one);
    EXPECT_EQ(too_late.exit_code, exit_code::done) << too_late;
    EXPECT_EQ(installation.requests(Operation::energy_levels), 0U);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels"), 0);
    EXPECT_EQ(tasks(installation, "stream = 'energy_levels'"), std::set<std::string>{});

    installation.config()["energy_levels"]["max_days_late"] = 8;
    const auto in_time = installation.sync_on("2026-07-09", one);
    EXPECT_EQ(in_time.exit_code, exit_code::done) << in_time;
    EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT days_late::text, ',') FROM heiasync.energy_levels"), "8");
}

TEST(Sync, TheSeventhDayLateIsTheLastByDefault) {
    Installation installation;
    const auto id = std::stoll(*installation.truth_on("2026-07-08").at_least(5).begin());
    ASSERT_EQ(installation.sync_on("2026-07-08", {"--organisation", std::to_string(id)}).exit_code, exit_code::done);
    EXPECT_EQ(installation.value("SELECT string_agg(DISTINCT days_late::text, ',') FROM heiasync.energy_levels"), "7");
}

TEST(Sync, APeriodIsPulledOnRequestHoweverLate) {
    Installation installation;
    installation.make_every_count_known("2026-06-15");
    const auto outcome = installation.sync_on("2026-06-15", {"--period", "2026-04"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto truth = installation.truth_on("2026-06-15");
    const auto pulled =
        "SELECT organisation_id, business_id FROM heiasync.energy_levels WHERE period_start = "
        "'2026-04-01' AND period_end = '2026-04-30' AND days_late = 45";
    EXPECT_EQ(difference(truth.at_least(5), installation.lines(pulled)), "");

    const auto again = installation.sync_on("2026-06-15", {"--period", "2026-04"});
    EXPECT_EQ(again.exit_code, exit_code::done) << again;
    EXPECT_EQ(installation.requests(Operation::energy_levels), truth.at_least(5).size())
        << "stored cells are not pulled";
}

TEST(Sync, AQuarterIsAPeriodOfThreeMonths) {
    Installation installation;
    installation.config()["energy_levels"]["reporting_period_months"] = 3;
    installation.make_every_count_known("2026-07-01");
    ASSERT_EQ(installation.sync_on("2026-06-02").exit_code, exit_code::done);
    EXPECT_EQ(installation.requests(Operation::energy_levels), 0U) << "June is the middle of a quarter";
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    EXPECT_EQ(difference({"2026-04-01|2026-06-30"},
                         installation.lines("SELECT DISTINCT period_start, period_end FROM heiasync.energy_levels")),
              "");
}

TEST(Sync, APeriodThatIsStillOpenIsAUsageError) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-06-15", {"--period", "2026-06"});
    EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("closed"));
    EXPECT_THAT(installation.api().requests(), IsEmpty());

    installation.config()["energy_levels"]["reporting_period_months"] = 12;
    EXPECT_EQ(installation.sync_on("2026-06-15", {"--period", "2026-01"}).exit_code, exit_code::usage);
}

TEST(Sync, APeriodThatIsOverHereButNotAtTheVendorIsNotPulled) {
    Installation installation;
    installation.config()["schedule"]["time_zone"] = "Pacific/Kiritimati";
    // 1 July in Kiritimati, 30 June in Finland.
    const auto outcome = installation.run({"sync", "--simulated-time", "2026-07-01T04:35:00+14:00"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.value("SELECT run_on FROM heiasync.sync_runs"), "2026-07-01");
    EXPECT_EQ(installation.requests(Operation::energy_levels), 0U);
}

TEST(Sync, OnlyTheStreamsAskedForAreFetched) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    EXPECT_EQ(installation.sync_on("2026-07-01", {"--stream", "organisations"}).exit_code, exit_code::done);
    EXPECT_EQ(installation.requests(Operation::stats) + installation.requests(Operation::reports), 0U);
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.organisations"), 0);

    EXPECT_EQ(installation.sync_on("2026-07-01", {"--stream", "reports"}).exit_code, exit_code::done);
    EXPECT_EQ(installation.requests(Operation::stats), 0U);
    EXPECT_GT(installation.requests(Operation::full_data), 0U);

    const auto about_reports = installation.requests(Operation::reports) + installation.requests(Operation::full_data);
    EXPECT_EQ(installation.sync_on("2026-07-01", {"--stream", "usage-stats", "--stream", "energy-levels"}).exit_code,
              exit_code::done);
    EXPECT_EQ(installation.requests(Operation::reports) + installation.requests(Operation::full_data), about_reports);
    EXPECT_GT(installation.requests(Operation::stats), 0U);
    EXPECT_GT(installation.requests(Operation::energy_levels), 0U);
}

TEST(Sync, EnergyLevelsAloneFetchTheStatisticsThatTheGateNeeds) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    const auto outcome = installation.sync_on("2026-07-01", {"--stream", "energy-levels"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto truth = installation.truth_on("2026-07-01");
    EXPECT_EQ(difference(truth.at_least(5),
                         installation.lines("SELECT organisation_id, business_id FROM heiasync.energy_levels")),
              "");
    EXPECT_EQ(installation.requests(Operation::reports), 0U);
}

TEST(Sync, OnlyTheOrganisationsAskedForAreWorkedOn) {
    Installation installation;
    const auto organisations = installation.truth_on("2026-06-15").organisations();
    const auto first = std::to_string(organisations.at(1).id);
    const auto second = std::to_string(organisations.at(4).id);
    const auto outcome = installation.sync_on("2026-06-15", {"--organisation", first, "--organisation", second});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(
        difference({first, second}, installation.lines("SELECT DISTINCT organisation_id FROM heiasync.usage_stats")),
        "");
    for (const auto& request : installation.api().requests()) {
        if (request.organisation) {
            EXPECT_TRUE(std::to_string(*request.organisation) == first ||
                        std::to_string(*request.organisation) == second);
        }
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations"),
              static_cast<std::int64_t>(organisations.size()))
        << "the listing is whole all the same, and removes nobody";
}

TEST(Sync, AnOrganisationThatIsNotListedIsSaidSo) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-06-15", {"--organisation", "99"});
    EXPECT_THAT(outcome.err, HasSubstr("99")) << outcome;
    EXPECT_EQ(installation.requests(Operation::stats), 0U);
}

TEST(Sync, DryRunSaysWhatItWouldAskAndWritesNothing) {
    Installation installation;
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    const auto before = installation.dump();
    const auto truth = installation.truth_on("2026-07-01");
    const auto outcome = installation.sync_on("2026-07-01", {"--dry-run"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.dump(), before);
    EXPECT_EQ(installation.api().requests().size(),
              installation.requests(Operation::token) + installation.requests(Operation::organisations));
    for (const auto& organisation : truth.organisations()) {
        EXPECT_THAT(outcome.out, HasSubstr(fmt::format("/organisations/{}/stats", organisation.id)));
        EXPECT_THAT(outcome.out, HasSubstr(fmt::format("/organisations/{}/reports", organisation.id)));
    }
    EXPECT_THAT(outcome.out, HasSubstr("2026-06-30")) << "energy levels would be due";
}

TEST(Sync, DryRunOnAnEmptyDatabaseLeavesItEmpty) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-07-01", {"--dry-run"});
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0) << outcome;
}

TEST(Sync, QuietPrintsNothingWhereNothingIsWrong) {
    Installation installation;
    for (const auto* option : {"-q", "--quiet"}) {
        const auto outcome = installation.sync_on("2026-06-15", {option});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        EXPECT_THAT(outcome.out, IsEmpty());
        EXPECT_THAT(outcome.err, IsEmpty());
    }
}

TEST(Sync, NothingIsAskedTwoHoursAfterTheDateIsOver) {
    auto options = small_world();
    options.latency = std::chrono::milliseconds{50};
    Installation installation{options};
    // Eleven hours from noon to the end of the two hours, which pass within forty requests.
    const auto outcome = installation.run({"sync", "--simulated-time", "2026-06-15T12:00:00Z,20000"});
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_THAT(installation.value("SELECT run_on || ' ' || status || ' ' || error FROM heiasync.sync_runs"),
                ::testing::StartsWith("2026-06-15 partial date_over"));
    EXPECT_LT(installation.requests(Operation::stats), installation.truth_on("2026-06-15").mapped_subjects().size());
}

TEST(Sync, TheSummaryCountsWhatWasDone) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-06-15");
    const auto truth = installation.truth_on("2026-06-15");
    EXPECT_THAT(outcome.out, ContainsRegex(fmt::format("usage stats +{} +{} +0", truth.mapped_subjects().size(),
                                                       truth.unmapped_subjects().size())));
    EXPECT_THAT(outcome.out, HasSubstr(fmt::format("{} organisations", truth.organisations().size())));
    EXPECT_THAT(outcome.out, HasSubstr("succeeded"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << "no colour where it is no terminal";
}

TEST(Sync, ABusinessIdThatNobodyIsMappedToIsSkippedAndNoFailure) {
    Installation installation;
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto unmapped = installation.truth_on("2026-06-15").unmapped_subjects();
    ASSERT_FALSE(unmapped.empty());
    EXPECT_EQ(difference(unmapped, tasks(installation,
                                         "stream = 'usage_stats' AND status = 'skipped' AND reason = "
                                         "'business_id_not_mapped' AND http_status = 400")),
              "");
    EXPECT_EQ(tasks(installation, "status = 'failed'"), std::set<std::string>{});
}

TEST(Sync, BusinessIdsAreLeftAloneWhereTheConfigurationSaysSo) {
    Installation installation;
    installation.make_every_count_known("2026-07-01");
    installation.config()["business_ids"]["stats"] = false;
    installation.config()["business_ids"]["energy_levels"] = false;
    ASSERT_EQ(installation.sync_on("2026-07-01").exit_code, exit_code::done);
    for (const auto& request : installation.api().requests()) {
        EXPECT_EQ(request.business_id, "");
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.usage_stats WHERE business_id <> ''"), 0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.energy_levels WHERE business_id <> ''"), 0);
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.energy_levels"), 0);
}

TEST(Sync, SettingsThatDecideWhatIsExpectedAreKept) {
    Installation installation;
    ASSERT_EQ(installation.sync_on("2026-06-15", {"--stream", "organisations"}).exit_code, exit_code::done);
    installation.config()["schedule"]["daily_at"] = "06:15";
    installation.config()["energy_levels"]["reporting_period_months"] = 3;
    installation.config()["api"]["per_page"] = 100;  // decides nothing
    ASSERT_EQ(installation.sync_on("2026-06-16", {"--stream", "organisations"}).exit_code, exit_code::done);
    ASSERT_EQ(installation.sync_on("2026-06-17", {"--stream", "organisations"}).exit_code, exit_code::done);
    EXPECT_EQ(difference({"2026-06-15|Europe/Helsinki|04:30:00|Europe/Helsinki|1|5|7|t|t|{50,10000}",
                          "2026-06-16|Europe/Helsinki|06:15:00|Europe/Helsinki|3|5|7|t|t|{50,10000}"},
                         installation.lines(
                             "SELECT valid_from::date, time_zone, daily_at, api_time_zone, reporting_period_months, "
                             "minimum_accepted_members, max_days_late, stats_per_business_id, "
                             "energy_levels_per_business_id, size_classes FROM heiasync.settings_history")),
              "");
}

TEST(Sync, AnOrganisationThatIsRenamedGoesAndReturnsHasAHistory) {
    Installation installation;
    auto& world = installation.api().world();
    const auto organisations = installation.truth_on("2026-06-15").organisations();
    const auto renamed = organisations.at(1).id;
    const auto gone = organisations.at(2).id;
    world.rename(renamed, "Uusi nimi Oy", simulator::vendor_midnight(core::parse_date("2026-06-16")));
    world.hide(gone, simulator::vendor_midnight(core::parse_date("2026-06-16")),
               simulator::vendor_midnight(core::parse_date("2026-06-17")));
    const auto sync = [&](std::string_view date) {
        const auto outcome = installation.sync_on(date, {"--stream", "organisations"});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    };

    sync("2026-06-15");
    sync("2026-06-16");
    EXPECT_EQ(
        installation.value(fmt::format("SELECT name FROM heiasync.organisations WHERE organisation_id = {}", renamed)),
        "Uusi nimi Oy");
    EXPECT_EQ(difference({fmt::format("{}|2026-06-15|2026-06-16", gone)},
                         installation.lines("SELECT organisation_id, last_seen_at::date, removed_at::date FROM "
                                            "heiasync.organisations WHERE removed_at IS NOT NULL")),
              "");

    sync("2026-06-17");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NOT NULL"), 0);
    EXPECT_EQ(
        difference(
            {fmt::format("{}|t|2026-06-15|2026-06-16", gone), fmt::format("{}|f|2026-06-16|2026-06-17", gone),
             fmt::format("{}|t|2026-06-17|NULL", gone), fmt::format("{}|t|2026-06-15|2026-06-16", renamed),
             fmt::format("{}|t|2026-06-16|NULL", renamed)},
            installation.lines(fmt::format("SELECT organisation_id, listed, valid_from::date, valid_to::date FROM "
                                           "heiasync.organisation_history WHERE organisation_id IN ({}, {})",
                                           gone, renamed))),
        "");
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.organisation_history"),
              static_cast<std::int64_t>(organisations.size()) + 3)
        << "nobody else has a second version";
}

}  // namespace

}  // namespace heiasync::testing
