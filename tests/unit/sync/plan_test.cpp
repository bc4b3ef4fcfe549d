#include "sync/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace heiasync::sync {
namespace {

using history::EnergyLevelsCell;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::string_literals;
using Kind = GateDecision::Kind;

core::Date day(const char* text) {
    return core::parse_date(text);
}
core::Instant at(const char* text) {
    return core::parse_instant(text);
}

const calendar::Period may{day("2026-05-01"), day("2026-05-31")};
const calendar::Period april{day("2026-04-01"), day("2026-04-30")};

documents::Organisation plain(std::int64_t id) {
    documents::Organisation organisation;
    organisation.id = id;
    organisation.name = "Plain";
    return organisation;
}

documents::Organisation with_business_ids(std::int64_t id, std::vector<std::string> business_ids) {
    documents::Organisation organisation = plain(id);
    organisation.multi_business_id = true;
    organisation.business_ids = std::move(business_ids);
    return organisation;
}

PeriodSettings helsinki_monthly() {
    PeriodSettings settings;
    settings.schedule_zone = &calendar::find_zone("Europe/Helsinki");
    settings.api_zone = settings.schedule_zone;
    return settings;
}

template <class UsageStats, class EnergyLevels>
auto asks(std::int64_t organisation_id, UsageStats usage_stats, EnergyLevels energy_levels, ReportListing listing) {
    return AllOf(
        Field(&OrganisationPlan::organisation_id, organisation_id), Field(&OrganisationPlan::usage_stats, usage_stats),
        Field(&OrganisationPlan::energy_levels, energy_levels), Field(&OrganisationPlan::report_listing, listing));
}

TEST(Plan, AsksStatsAndReportsOfEveryOrganisation) {
    PlanInput input;
    input.organisations = {plain(1), plain(2)};
    EXPECT_THAT(make_plan(input), ElementsAre(asks(1, std::vector{""s}, IsEmpty(), ReportListing::ask),
                                              asks(2, std::vector{""s}, IsEmpty(), ReportListing::ask)));
}

TEST(Plan, AsksStatsOfTheWholeFirstAndThenOfEachBusinessId) {
    PlanInput input;
    input.organisations = {with_business_ids(1, {"11-1", "11-2"})};
    EXPECT_THAT(make_plan(input).front().usage_stats, ElementsAre("", "11-1", "11-2"));
}

TEST(Plan, LeavesBusinessIdsOutWhereTheyAreNotWanted) {
    PlanInput input;
    input.stats_per_business_id = false;
    input.energy_levels_per_business_id = false;
    input.periods = {may};
    input.organisations = {with_business_ids(1, {"11-1"})};
    EXPECT_THAT(make_plan(input),
                ElementsAre(asks(1, std::vector{""s}, ElementsAre(EnergyLevelsTask{"", may}), ReportListing::ask)));
}

TEST(Plan, LeavesBusinessIdsOutWhereTheOrganisationHasNotSeveral) {
    PlanInput input;
    input.organisations = {with_business_ids(1, {"11-1"})};
    input.organisations.front().multi_business_id = false;
    EXPECT_THAT(make_plan(input).front().usage_stats, ElementsAre(""));
}

TEST(Plan, PullsEachCellOfADuePeriodThatIsNotSettled) {
    PlanInput input;
    input.periods = {april, may};
    input.settled = {EnergyLevelsCell{1, "", april.start}, EnergyLevelsCell{1, "11-1", may.start}};
    input.organisations = {with_business_ids(1, {"11-1"})};
    EXPECT_THAT(make_plan(input).front().energy_levels,
                ElementsAre(EnergyLevelsTask{"11-1", april}, EnergyLevelsTask{"", may}));
}

TEST(Plan, FetchesForTheGateOnlyTheStatsThatTheDayLacks) {
    PlanInput input;
    input.streams = {false, true, false};
    input.periods = {may};
    input.accepted[{1, ""}] = 7;
    input.organisations = {with_business_ids(1, {"11-1"}), plain(2)};
    const auto plans = make_plan(input);
    EXPECT_THAT(plans[0].usage_stats, ElementsAre("", "11-1")) << "whether anyone is mapped to it";
    EXPECT_THAT(plans[1].usage_stats, ElementsAre(""));
    EXPECT_EQ(plans[0].report_listing, ReportListing::none);
}

TEST(Plan, FetchesForTheGateWhatTheStatsStreamLeavesOut) {
    PlanInput input;
    input.stats_per_business_id = false;
    input.periods = {may};
    input.organisations = {with_business_ids(1, {"11-1"})};
    EXPECT_THAT(make_plan(input).front().usage_stats, ElementsAre("", "11-1"));
}

TEST(Plan, FetchesNoStatsForCellsThatAreSettled) {
    PlanInput input;
    input.streams = {false, true, false};
    input.periods = {may};
    input.settled = {EnergyLevelsCell{1, "", may.start}};
    input.organisations = {plain(1)};
    EXPECT_THAT(make_plan(input), ElementsAre(asks(1, IsEmpty(), IsEmpty(), ReportListing::none)));
}

history::TaskKey task(history::Stream stream, std::int64_t organisation_id, std::string business_id = "") {
    return {organisation_id, std::move(business_id), stream, std::nullopt, std::nullopt};
}

history::TaskKey energy_levels_task(std::int64_t organisation_id, std::string business_id, core::Date period_start) {
    return {organisation_id, std::move(business_id), history::Stream::energy_levels, period_start, std::nullopt};
}

history::TaskKey report_task(std::int64_t organisation_id, std::int64_t report_id) {
    return {organisation_id, "", history::Stream::reports, std::nullopt, report_id};
}

TEST(Plan, OfAContinuedRunLeavesOutWhatIsSettled) {
    using enum history::TaskStatus;
    PlanInput input;
    input.periods = {may};
    input.accepted[{1, ""}] = 7;
    input.organisations = {with_business_ids(1, {"11-1", "11-2"}), plain(2)};
    input.before.tasks = {
        {task(history::Stream::usage_stats, 1), done},       {task(history::Stream::usage_stats, 1, "11-1"), skipped},
        {task(history::Stream::usage_stats, 2), failed},     {energy_levels_task(1, "", may.start), done},
        {energy_levels_task(1, "11-1", may.start), skipped}, {task(history::Stream::reports, 1), done},
        {task(history::Stream::reports, 2), failed}};
    const auto plans = make_plan(input);
    EXPECT_THAT(plans, ElementsAre(asks(1, std::vector{"11-2"s}, ElementsAre(EnergyLevelsTask{"11-2", may}),
                                        ReportListing::none),
                                   asks(2, IsEmpty(), ElementsAre(EnergyLevelsTask{"", may}), ReportListing::none)));
    EXPECT_TRUE(plans[0].whole_usage_stats);
    EXPECT_THAT(plans[0].whole_energy_levels, ElementsAre(may.start));
    EXPECT_FALSE(plans[1].whole_usage_stats) << "it was refused";
    EXPECT_THAT(plans[1].whole_energy_levels, IsEmpty());
}

/// What is settled of the energy levels in May of organisation 1, whose gate was unknown.
history::SettledTasks after_unknown_gate(std::vector<std::string> settled_stats, const AcceptedMembers& accepted,
                                         const std::string& business_id = "") {
    history::SettledTasks before;
    for (const std::string& subject : settled_stats) {
        before.tasks[task(history::Stream::usage_stats, 1, subject)] = history::TaskStatus::done;
    }
    before.unknown_gates = {energy_levels_task(1, business_id, may.start)};
    settle_unknown_gates(before, accepted, 5);
    return before;
}

TEST(Plan, AnUnknownGateStaysSoWhereTheStatsTellNoNumber) {
    const auto refused = ::testing::Pair(energy_levels_task(1, "", may.start), history::TaskStatus::failed);
    EXPECT_THAT(after_unknown_gate({""}, {{{1, ""}, std::nullopt}}).tasks, Contains(refused));
    EXPECT_THAT(after_unknown_gate({""}, {}).tasks, Contains(refused)) << "the stats were refused for good";
    EXPECT_THAT(after_unknown_gate({""}, {{{1, ""}, 5}}).tasks, Not(Contains(refused)))
        << "they came after the gate was decided";
    EXPECT_THAT(after_unknown_gate({}, {{{1, ""}, std::nullopt}}).tasks, IsEmpty()) << "they are asked again";
    EXPECT_THAT(after_unknown_gate({""}, {{{1, ""}, 9}}, "11-1").tasks, SizeIs(1)) << "those of the business id are";
    EXPECT_THAT(after_unknown_gate({"", "11-1"}, {{{1, ""}, 9}, {{1, "11-1"}, std::nullopt}}, "11-1").tasks, SizeIs(3));
}

TEST(Plan, OfAContinuedRunListsReportsAgainWhereSomeAreToCome) {
    PlanInput input;
    input.organisations = {plain(1), plain(2), plain(3)};
    for (const std::int64_t id : {1, 2, 3}) {
        input.before.tasks[task(history::Stream::reports, id)] = history::TaskStatus::done;
    }
    input.before.tasks[report_task(1, 8)] = history::TaskStatus::failed;
    input.before.reports_to_come = {{1, 8}, {1, 9}, {2, 8}};
    input.before.tasks[report_task(2, 8)] = history::TaskStatus::failed;
    const auto plans = make_plan(input);
    EXPECT_EQ(plans[0].report_listing, ReportListing::ask_unrecorded);
    EXPECT_EQ(plans[1].report_listing, ReportListing::none) << "what is to come was refused for good";
    EXPECT_EQ(plans[2].report_listing, ReportListing::none);
}

TEST(DuePeriods, IsTheLastMonthOnTheFirst) {
    const DuePeriods due = due_periods(at("2026-06-01T01:30:00Z"), day("2026-06-01"), helsinki_monthly());
    EXPECT_THAT(due.periods, ElementsAre(may));
    EXPECT_EQ(due.reason, "the reporting period 2026-05-01 to 2026-05-31 closed 0 days before 2026-06-01");
}

TEST(DuePeriods, SaysThatTheLastOneIsTooLate) {
    const DuePeriods due = due_periods(at("2026-06-15T01:30:00Z"), day("2026-06-15"), helsinki_monthly());
    EXPECT_THAT(due.periods, IsEmpty());
    EXPECT_EQ(due.reason,
              "the last reporting period, 2026-05-01 to 2026-05-31, is 14 days late, more than max_days_late (7)");
}

TEST(DuePeriods, WaitsUntilTheDayHasEndedForTheVendorToo) {
    PeriodSettings apia = helsinki_monthly();
    apia.schedule_zone = &calendar::find_zone("Pacific/Apia");
    const DuePeriods due = due_periods(at("2026-05-31T15:30:00Z"), day("2026-06-01"), apia);
    EXPECT_THAT(due.periods, IsEmpty());
    EXPECT_EQ(due.reason, "the reporting period 2026-05-01 to 2026-05-31 has not closed in every zone yet");
}

TEST(RequestedPeriod, IsTheOneWithThatMonthHoweverOld) {
    EXPECT_EQ(requested_period(day("2024-04-01"), at("2026-06-15T00:00:00Z"), helsinki_monthly()),
              (calendar::Period{day("2024-04-01"), day("2024-04-30")}));
}

TEST(RequestedPeriod, IsNoneBeforeItHasClosed) {
    EXPECT_EQ(requested_period(day("2026-06-01"), at("2026-06-15T00:00:00Z"), helsinki_monthly()), std::nullopt);
}

struct GateCase {
    const char* name;
    AcceptedMembers accepted;
    const char* business_id;
    Kind kind;
    const char* reason;
};

class Gate : public ::testing::TestWithParam<GateCase> {};

TEST_P(Gate, Decides) {
    const GateDecision decision = decide_gate(GetParam().accepted, 1, GetParam().business_id, 5);
    EXPECT_EQ(decision.kind, GetParam().kind);
    EXPECT_EQ(decision.reason, GetParam().reason);
    EXPECT_EQ(decision.error.has_value(), decision.kind == Kind::unknown);
}

AcceptedMembers counts(std::optional<std::int64_t> whole, std::optional<std::int64_t> own) {
    return {{{1, ""}, whole}, {{1, "11-1"}, own}, {{2, ""}, 9}};
}

constexpr const char* four_of_five = "below_minimum_accepted_members: 4 of 5";

INSTANTIATE_TEST_SUITE_P(OfAnOrganisation, Gate,
                         ::testing::Values(GateCase{"NoStats", {}, "", Kind::unknown, "gate_unknown"},
                                           GateCase{"Null", counts({}, 9), "", Kind::unknown, "gate_unknown"},
                                           GateCase{"Negative", counts(-1, 9), "", Kind::unknown, "gate_unknown"},
                                           GateCase{"Zero", counts(0, 9), "", Kind::below_minimum,
                                                    "below_minimum_accepted_members: 0 of 5"},
                                           GateCase{"JustBelow", counts(4, 9), "", Kind::below_minimum, four_of_five},
                                           GateCase{"Exactly", counts(5, 0), "", Kind::pass, ""},
                                           GateCase{"Above", counts(6, 0), "", Kind::pass, ""}),
                         [](const ::testing::TestParamInfo<GateCase>& gate) { return gate.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfABusinessId, Gate,
    ::testing::Values(GateCase{"Both", counts(5, 5), "11-1", Kind::pass, ""},
                      GateCase{"ItsOwnBelow", counts(9, 4), "11-1", Kind::below_minimum, four_of_five},
                      GateCase{"ItsOwnNull", counts(9, {}), "11-1", Kind::unknown, "gate_unknown"},
                      GateCase{"NoneOfItsOwn", counts(9, 9), "22-2", Kind::unknown, "gate_unknown"},
                      GateCase{"TheWholeBelow", counts(4, 9), "11-1", Kind::below_minimum, four_of_five},
                      GateCase{"TheWholeNull", counts({}, 9), "11-1", Kind::unknown, "gate_unknown"}),
    [](const ::testing::TestParamInfo<GateCase>& gate) { return gate.param.name; });

documents::Report report(std::int64_t id, const char* generated_at) {
    documents::Report report;
    report.id = id;
    report.viewed = true;
    report.data_instance_id = core::Secret{"instance"};
    report.generated_at = at(generated_at);
    return report;
}

TEST(DueReports, AreTheReadyVersionsThatAreNotStored) {
    const std::vector<documents::Report> listed{report(1, "2026-01-01T00:00:00Z"), report(2, "2026-01-02T00:00:00Z"),
                                                report(3, "2024-01-03T00:00:00Z")};
    const std::vector<history::ReportVersion> stored{{7, 1, at("2026-01-01T00:00:00Z")},   // stored already
                                                     {7, 2, at("2025-12-31T00:00:00Z")},   // an older version of it
                                                     {8, 3, at("2024-01-03T00:00:00Z")}};  // another organisation's
    const auto due = due_reports(7, listed, stored, {});
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].id, 2);
    EXPECT_EQ(due[1].id, 3);
}

TEST(DueReports, LeaveOutWhatIsNotViewedNotGeneratedOrWithoutInstance) {
    documents::Report not_viewed = report(1, "2026-01-01T00:00:00Z");
    not_viewed.viewed = false;
    documents::Report not_generated = report(2, "2026-01-01T00:00:00Z");
    not_generated.generated_at.reset();
    documents::Report without_instance = report(3, "2026-01-01T00:00:00Z");
    without_instance.data_instance_id = core::Secret{};
    EXPECT_THAT(due_reports(7, {not_viewed, not_generated, without_instance}, {}, {}), IsEmpty());
}

TEST(DueReports, LeaveOutWhatWasRefusedForGoodEarlierInTheDay) {
    history::SettledTasks before;
    before.tasks[report_task(7, 1)] = history::TaskStatus::failed;
    before.tasks[report_task(8, 2)] = history::TaskStatus::failed;
    const auto due = due_reports(7, {report(1, "2026-01-01T00:00:00Z"), report(2, "2026-01-01T00:00:00Z")}, {}, before);
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].id, 2);
}

}  // namespace
}  // namespace heiasync::sync
