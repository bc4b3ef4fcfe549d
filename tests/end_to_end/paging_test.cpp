#include "installation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace heiasync::testing {

namespace {

using simulator::Fault;
using simulator::Operation;

/// After a sync on 15 June: every organisation once, every report version once.
void expect_complete(Installation& installation) {
    const auto outcome = installation.sync_on("2026-06-15");
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    const auto truth = installation.truth_on("2026-06-15");
    EXPECT_EQ(
        difference(truth.organisation_ids(), installation.lines("SELECT organisation_id FROM heiasync.organisations")),
        "");
    EXPECT_EQ(difference(truth.usage_stats(),
                         installation.lines(
                             "SELECT organisation_id, business_id, total_membership_count, "
                             "hh_core_total_membership_count, hh_core_accepted_membership_count, app_use_count, "
                             "app_monthly_use_count FROM heiasync.usage_stats")),
              "");
    EXPECT_EQ(difference(truth.report_versions(),
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
    EXPECT_EQ(installation.requests(Operation::full_data), truth.report_versions().size());
}

std::size_t listed_on_one_page_at_most(const Truth& truth) {
    std::size_t most = 0;
    for (const auto& organisation : truth.organisations()) {
        most = std::max(most, truth.viewed_reports(organisation.id).size());
    }
    return most;
}

TEST(Paging, AServerMayCapThePageBelowWhatWasAsked) {
    auto options = small_world();
    options.page_cap = 3;
    Installation installation{options};
    ASSERT_GT(listed_on_one_page_at_most(installation.truth_on("2026-06-15")), options.page_cap)
        << "the reports of somebody are to be on several pages";
    expect_complete(installation);
    const auto organisations = installation.truth_on("2026-06-15").organisations().size();
    EXPECT_GT(installation.requests(Operation::organisations), organisations / options.page_cap);
}

TEST(Paging, PagesAreAsLargeAsTheConfigurationSays) {
    Installation installation;
    installation.config()["api"]["per_page"] = 4;
    expect_complete(installation);
    for (const auto& request : installation.api().requests()) {
        if (request.operation == Operation::organisations || request.operation == Operation::reports) {
            EXPECT_EQ(request.query.at("per_page"), "4");
            EXPECT_FALSE(request.query.contains("total_required")) << "it costs the server extra work";
        }
    }
}

TEST(Paging, AListingThatEndsWithAFullPageIsComplete) {
    Installation installation;
    const auto organisations = installation.truth_on("2026-06-15").organisations().size();
    installation.config()["api"]["per_page"] = organisations;
    expect_complete(installation);
}

TEST(Paging, ItemsThatShiftBetweenPagesAreTakenOnce) {
    auto options = small_world();
    options.page_cap = 5;
    Installation installation{options};
    Fault fault;
    fault.kind = Fault::Kind::shift_items;
    fault.shift = 2;
    installation.api().fail(fault);
    expect_complete(installation);
}

TEST(Paging, AnItemThatSlipsToAPageThatWasReadAlreadyIsNotGone) {
    auto options = small_world();
    options.page_cap = 5;
    Installation installation{options};
    EXPECT_LE(installation.sync_on("2026-06-14").exit_code, exit_code::incomplete);
    const auto before = installation.value("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL");
    Fault fault;
    fault.kind = Fault::Kind::shift_items;
    fault.operation = Operation::organisations;
    fault.shift = -1;
    fault.after = 1;
    fault.times = 1;
    installation.api().fail(fault);
    EXPECT_LE(installation.sync_on("2026-06-15").exit_code, exit_code::incomplete);
    EXPECT_EQ(installation.value("SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL"), before);
    EXPECT_EQ(installation.value("SELECT count(*) FROM heiasync.organisation_history WHERE NOT listed"), "0");
}

TEST(Paging, AnItemThatComesTwiceIsTakenOnce) {
    auto options = small_world();
    options.page_cap = 5;
    Installation installation{options};
    Fault fault;
    fault.kind = Fault::Kind::duplicate_items;
    installation.api().fail(fault);
    expect_complete(installation);
}

TEST(Shapes, StatisticsAreUnderstoodWithAndWithoutTheirWrapping) {
    for (const auto shape : {simulator::StatsShape::wrapped, simulator::StatsShape::bare}) {
        auto options = small_world();
        options.stats_shape = shape;
        Installation installation{options};
        expect_complete(installation);
    }
}

TEST(Shapes, AnswersMayBeCompressedOrChunkedOrNeither) {
    for (const bool gzip : {false, true}) {
        for (const bool chunked : {false, true}) {
            auto options = small_world();
            options.gzip = gzip;
            options.chunked = chunked;
            Installation installation{options};
            expect_complete(installation);
        }
    }
}

TEST(Shapes, AConnectionThatTheServerClosesIsReplacedWithoutAnError) {
    auto options = small_world();
    options.connection_requests = 7;
    Installation installation{options};
    installation.config()["api"]["retry"]["attempts"] = 1;
    expect_complete(installation);
    EXPECT_EQ(installation.count("SELECT max(attempts) FROM heiasync.sync_tasks WHERE stream = 'usage_stats'"), 1);
}

TEST(Shapes, TheTokenGoesInTheHeader) {
    auto options = small_world();
    options.token_place = simulator::TokenPlace::header;
    Installation installation{options};
    expect_complete(installation);
    for (const auto& request : installation.api().requests()) {
        EXPECT_FALSE(request.token_in_query) << "query strings end up in logs";
    }
}

}  // namespace

}  // namespace heiasync::testing
