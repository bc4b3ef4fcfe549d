#include "installation.hpp"
#include "simulator/documents.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using simulator::Operation;
using simulator::Report;

constexpr auto stored_versions = "SELECT organisation_id, report_id, generated_at FROM heiasync.reports";

/// Every sixth day from 2 April on, for a season.
std::vector<std::string> season() {
    std::vector<std::string> dates;
    for (auto date = date::sys_days{date::year{2026} / 4 / 2}; date < date::sys_days{date::year{2026} / 7 / 10};
         date += date::days{6}) {
        dates.push_back(core::format_date(date));
    }
    return dates;
}

/// What came to light over the season, from the simulated world alone.
struct Season {
    std::map<std::string, Report> versions;  ///< by version_line()
    std::map<std::string, std::string> first_listed_on;
};

Season walk(Installation& installation, const std::vector<std::string>& dates) {
    Season season;
    for (const auto& date : dates) {
        for (const auto& report : installation.truth_on(date).viewed_reports()) {
            season.versions.try_emplace(version_line(report), report);
            season.first_listed_on.try_emplace(version_line(report), date);
        }
    }
    return season;
}

TEST(Reports, EachVersionOfASeasonIsStoredExactlyOnce) {
    auto options = small_world();
    options.organisations = 120;
    Installation installation{options};
    const auto dates = season();
    for (const auto& date : dates) {
        const auto outcome = installation.sync_on(date, {"--stream", "reports"});
        ASSERT_EQ(outcome.exit_code, exit_code::done) << date << '\n' << outcome;
    }
    const auto [versions, first_listed_on] = walk(installation, dates);

    std::set<std::string> expected;
    for (const auto& [line, report] : versions) {
        expected.insert(fmt::format("{}|{}|{}", line, first_listed_on.at(line), report.data_instance_id));
    }
    EXPECT_TRUE(difference(expected, installation.lines(
                                         "SELECT organisation_id, report_id, generated_at, (downloaded_at AT TIME ZONE "
                                         "'Europe/Helsinki')::date, data_instance_id FROM heiasync.reports JOIN "
                                         "heiasync.report_sources USING (organisation_id, report_version_id)"))
                    .empty());
    EXPECT_EQ(installation.requests(Operation::full_data), versions.size()) << "nothing is downloaded twice";

    // What the season is to have had, so that the comparison above means something.
    bool very_old = false;
    bool sub_report = false;
    bool later_than_a_newer_one = false;
    bool regenerated = false;
    bool regenerated_elsewhere = false;
    for (const auto& [line, report] : versions) {
        const auto& listed_on = first_listed_on.at(line);
        const bool later = listed_on != dates.front();
        const auto age = instant_after_slot(listed_on) - report.generated_at;
        very_old |= later && report.generation == 0 && age > date::days{500};
        sub_report |= later && report.sub_report_business_id.has_value();
        for (const auto& [other_line, other] : versions) {
            const bool earlier = first_listed_on.at(other_line) < listed_on;
            later_than_a_newer_one |=
                earlier && other.organisation_id == report.organisation_id && other.generated_at > report.generated_at;
            if (earlier && other.id == report.id) {
                EXPECT_GT(report.generated_at, other.generated_at);
                (other.data_instance_id == report.data_instance_id ? regenerated : regenerated_elsewhere) = true;
            }
        }
    }
    EXPECT_TRUE(very_old);
    EXPECT_TRUE(sub_report);
    EXPECT_TRUE(later_than_a_newer_one);
    EXPECT_TRUE(regenerated);
    EXPECT_TRUE(regenerated_elsewhere);
}

TEST(Reports, OnlyTheLastGeneratedVersionIsTheLatest) {
    Installation installation;
    const auto dates = season();
    ASSERT_EQ(installation.sync_on(dates.front(), {"--stream", "reports"}).exit_code, exit_code::done);
    ASSERT_EQ(installation.sync_on(dates.back(), {"--stream", "reports"}).exit_code, exit_code::done);
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.reports WHERE NOT is_latest_version"), 0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports WHERE is_latest_version"),
              installation.count("SELECT count(DISTINCT report_id) FROM heiasync.reports"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports AS latest JOIN heiasync.reports AS other USING "
                                 "(report_id) WHERE latest.is_latest_version AND other.generated_at > "
                                 "latest.generated_at"),
              0);
    // A version keeps its own results.
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports AS version WHERE NOT EXISTS (SELECT FROM "
                                 "heiasync.report_results WHERE report_version_id = version.report_version_id AND "
                                 "scope = 'organisation' AND ordinal = 0)"),
              0);
}

/// An organisation with reports, and its listing as the API would show it.
struct Listed {
    std::int64_t organisation_id = 0;
    std::vector<Report> reports;
};

Listed listing_of_several(const Truth& truth) {
    for (const auto& organisation : truth.organisations()) {
        auto reports = truth.viewed_reports(organisation.id);
        if (reports.size() >= 3) {
            return {organisation.id, std::move(reports)};
        }
    }
    throw std::logic_error{"nobody in this world has three reports"};
}

void answer_listing(Installation& installation, const Listed& listed) {
    installation.api().answer_with(Operation::reports, listed.organisation_id, {},
                                   simulator::reports_document(listed.reports, std::nullopt));
}

TEST(Reports, AnotherDataInstanceIdAloneIsNoNewVersion) {
    Installation installation;
    auto listed = listing_of_several(installation.truth_on("2026-06-15"));
    const std::vector<std::string> its_reports{"--stream", "reports", "--organisation",
                                               std::to_string(listed.organisation_id)};
    ASSERT_EQ(installation.sync_on("2026-06-15", its_reports).exit_code, exit_code::done);
    const auto stored = installation.lines(stored_versions);
    const auto downloads = installation.requests(Operation::full_data);
    ASSERT_EQ(downloads, listed.reports.size());

    listed.reports.front().data_instance_id = "another_place_for_the_same_version_0123456789abcdef0123456789";
    answer_listing(installation, listed);
    EXPECT_EQ(installation.sync_on("2026-06-16", its_reports).exit_code, exit_code::done);
    EXPECT_EQ(installation.lines(stored_versions), stored);
    EXPECT_EQ(installation.requests(Operation::full_data), downloads);
}

TEST(Reports, WhatIsNotReadyIsNotDownloaded) {
    Installation installation;
    auto listed = listing_of_several(installation.truth_on("2026-06-15"));
    // A server that shows what was not asked for: not viewed, and so without a data instance.
    listed.reports.front().viewed = false;
    answer_listing(installation, listed);
    const auto outcome = installation.sync_on(
        "2026-06-15", {"--stream", "reports", "--organisation", std::to_string(listed.organisation_id)});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    std::set<std::string> expected;
    for (std::size_t number = 1; number < listed.reports.size(); ++number) {
        expected.insert(version_line(listed.reports[number]));
    }
    EXPECT_EQ(difference(expected, installation.lines(stored_versions)), "");
}

TEST(Reports, ADownloadThatFailedIsTriedAgainByTheNextSync) {
    Installation installation;
    const auto listed = listing_of_several(installation.truth_on("2026-06-15"));
    const std::vector<std::string> its_reports{"--stream", "reports", "--organisation",
                                               std::to_string(listed.organisation_id)};
    simulator::Fault fault;
    fault.operation = Operation::full_data;
    fault.times = 1;
    fault.kind = simulator::Fault::Kind::cut_short;
    for (const std::size_t in_each_pass : {std::size_t{1}, listed.reports.size() - 1}) {
        fault.after = static_cast<unsigned>(in_each_pass);
        installation.api().fail(fault);
    }
    const auto outcome = installation.sync_on("2026-06-15", its_reports);
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports"),
              static_cast<std::int64_t>(listed.reports.size()) - 1);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.report_results WHERE report_version_id NOT IN (SELECT "
                                 "report_version_id FROM heiasync.reports)"),
              0)
        << "of a document that failed nothing is left";

    EXPECT_EQ(installation.sync_on("2026-06-15", its_reports).exit_code, exit_code::done);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports"),
              static_cast<std::int64_t>(listed.reports.size()));
    EXPECT_EQ(installation.requests(Operation::full_data), listed.reports.size() + 2);
}

}  // namespace

}  // namespace heiasync::testing
