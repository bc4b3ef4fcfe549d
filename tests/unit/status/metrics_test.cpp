#include "status/metrics.hpp"

#include "core/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <chrono>
#include <map>
#include <sstream>
#include <string>

namespace heiasync::status {
namespace {

using namespace std::chrono_literals;
using ::testing::IsSupersetOf;

const core::Instant now = core::parse_instant("2026-07-01T01:31:00Z");
const service::State idle;

/// The samples by their series, as the text format writes both.
std::map<std::string, std::string> samples(const std::string& text) {
    std::map<std::string, std::string> all;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('#')) {
            const auto end = line.rfind(' ');
            all.emplace(line.substr(0, end), line.substr(end + 1));
        }
    }
    return all;
}

class MetricsTest : public ::testing::Test {
protected:
    std::map<std::string, std::string> all(const service::State& state = idle) { return samples(metrics.text(state)); }
    std::string value(const std::string& series, const service::State& state = idle) {
        const auto values = all(state);
        const auto found = values.find(series);
        return found == values.end() ? "none" : found->second;
    }

    void count(std::string_view route, std::optional<unsigned> status, int requests = 1, bool retried = false) {
        http::AttemptReport attempt;
        attempt.route = route;
        attempt.status = status;
        attempt.requests = requests;
        attempt.duration = 300ms;
        attempt.bytes_received = 7;
        if (retried) {
            attempt.retry_in = 1s;
        }
        metrics.count(attempt, now);
    }

    Metrics metrics{"1.2.3"};
};

constexpr auto stats = "GET /admin/v1/documents/organisations/{id}/stats";

TEST_F(MetricsTest, HaveEverySeriesFromTheStart) {
    const auto before = all();
    std::vector<std::string> expected{"heiasync_run_lock_held",
                                      "heiasync_run_progress_timestamp_seconds",
                                      "heiasync_next_run_timestamp_seconds",
                                      "heiasync_config_last_reload_success_timestamp_seconds",
                                      "heiasync_run_duration_seconds",
                                      "heiasync_organisations",
                                      "heiasync_organisations_held_back",
                                      "heiasync_period_missing",
                                      "heiasync_schema_version",
                                      "heiasync_database_up",
                                      "heiasync_api_received_bytes_total",
                                      "heiasync_clock_skew_seconds{reference=\"api\"}",
                                      "heiasync_clock_skew_seconds{reference=\"database\"}"};
    for (const std::string stream : {"organisations", "usage_stats", "energy_levels", "reports"}) {
        expected.push_back("heiasync_run_last_success_timestamp_seconds{stream=\"" + stream + "\"}");
        for (const std::string state : {"open", "final"}) {
            expected.push_back("heiasync_gaps{state=\"" + state + "\",stream=\"" + stream + "\"}");
        }
    }
    for (const std::string status : {"succeeded", "partial", "failed", "interrupted"}) {
        expected.push_back("heiasync_runs_total{status=\"" + status + "\"}");
    }
    for (const std::string outcome : {"committed", "rolled_back", "fenced", "unknown"}) {
        expected.push_back("heiasync_database_transactions_total{outcome=\"" + outcome + "\"}");
    }
    for (const std::string condition : {"database", "lock", "api", "credentials", "clock"}) {
        expected.push_back("heiasync_condition{condition=\"" + condition + "\"}");
    }
    for (const std::string reason : {"429", "500", "502", "503", "504", "other", "transport"}) {
        expected.push_back("heiasync_api_retries_total{reason=\"" + reason + "\"}");
    }
    for (const std::string operation :
         {"access_token", "organisations", "usage_stats", "energy_levels", "reports", "report_data"}) {
        for (const std::string code : {"200", "3xx", "401", "429", "503", "other", "none"}) {
            expected.push_back("heiasync_api_requests_total{code=\"" + code + "\",operation=\"" + operation + "\"}");
        }
        expected.push_back("heiasync_api_request_duration_seconds_count{operation=\"" + operation + "\"}");
    }
    for (const std::string& series : expected) {
        ASSERT_TRUE(before.contains(series)) << series;
        EXPECT_EQ(before.at(series), "0") << series;
    }
    EXPECT_EQ(before.at("heiasync_build_info{version=\"1.2.3\"}"), "1");
    EXPECT_EQ(before.at("heiasync_config_last_reload_successful"), "1");

    count(stats, 503, 1, true);
    metrics.count(history::TransactionOutcome::fenced);
    sync::RunReport report;
    report.sync_run_id = 1;
    report.status = history::RunStatus::partial;
    metrics.count(report);
    EXPECT_EQ(all().size(), before.size()) << "what happens adds no series";
}

TEST_F(MetricsTest, CountRequestsByOperationAndCode) {
    count(stats, 200);
    count(stats, 200, 3);
    count(stats, std::nullopt, 1, true);
    count(stats, 418);
    count("POST /oauth/token", 401);
    const auto requests = [this](const std::string& code, const std::string& operation = "usage_stats") {
        return value("heiasync_api_requests_total{code=\"" + code + "\",operation=\"" + operation + "\"}");
    };
    EXPECT_EQ(requests("200"), "2");
    EXPECT_EQ(requests("3xx"), "2");
    EXPECT_EQ(requests("none"), "1");
    EXPECT_EQ(requests("other"), "1");
    EXPECT_EQ(requests("401", "access_token"), "1");
    EXPECT_EQ(value("heiasync_api_request_duration_seconds_count{operation=\"usage_stats\"}"), "4");
    EXPECT_EQ(value("heiasync_api_request_duration_seconds_bucket{operation=\"usage_stats\",le=\"0.25\"}"), "0");
    EXPECT_EQ(value("heiasync_api_request_duration_seconds_bucket{operation=\"usage_stats\",le=\"0.5\"}"), "4");
    EXPECT_EQ(value("heiasync_api_received_bytes_total"), "35");
}

TEST_F(MetricsTest, CountRetriesByTheirReason) {
    count(stats, 503, 1, true);
    count(stats, 503);
    count(stats, 507, 1, true);
    count(stats, std::nullopt, 1, true);
    EXPECT_EQ(value("heiasync_api_retries_total{reason=\"503\"}"), "1") << "the last attempt is not repeated";
    EXPECT_EQ(value("heiasync_api_retries_total{reason=\"other\"}"), "1");
    EXPECT_EQ(value("heiasync_api_retries_total{reason=\"transport\"}"), "1");
}

TEST_F(MetricsTest, TellTheSkewOfTheClocksThatWereSeen) {
    http::AttemptReport attempt;
    attempt.route = stats;
    attempt.server_date = now - 90s;
    metrics.count(attempt, now);
    attempt.server_date.reset();
    metrics.count(attempt, now);
    service::State state;
    state.standing.emplace().clock_difference = 1500ms;
    EXPECT_EQ(value("heiasync_clock_skew_seconds{reference=\"api\"}", state), "-90");
    EXPECT_EQ(value("heiasync_clock_skew_seconds{reference=\"database\"}", state), "1.5");
}

TEST_F(MetricsTest, CountRunsThatWereRecorded) {
    sync::RunReport report;
    report.status = history::RunStatus::failed;
    metrics.count(report);
    EXPECT_EQ(value("heiasync_runs_total{status=\"failed\"}"), "0");
    report.sync_run_id = 3;
    report.started_at = now;
    report.finished_at = now + 75s;
    metrics.count(report);
    EXPECT_EQ(value("heiasync_runs_total{status=\"failed\"}"), "1");
    EXPECT_EQ(value("heiasync_run_duration_seconds"), "75");
}

TEST_F(MetricsTest, TellWhatTheDaemonKnows) {
    spdlog::logger log{"silent"};
    service::State state;
    state.configuration.loaded_at = now - 1h;
    state.configuration.last_reload_ok = false;
    state.next_run = now + 1h;
    service::State::RunInHand run;
    run.progressed_at = now - 5s;
    state.run = run;
    EXPECT_EQ(value("heiasync_run_lock_held", state), "0") << "it is not recorded yet";
    state.run->progress.sync_run_id = 5;
    state.credentials.holds(log, "rejected");
    state.database_look = {std::chrono::steady_clock::now(), std::nullopt};
    history::Standing& standing = state.standing.emplace();
    standing.last_successes[history::Stream::reports] = now - 2h;
    standing.last_successes[history::Stream::usage_stats] = std::nullopt;
    standing.gaps[history::Stream::usage_stats] = {3, 4};
    standing.period_missing = true;
    standing.organisations = 31;
    standing.held_back = 6;
    standing.schema_version = 11;
    EXPECT_THAT(all(state), IsSupersetOf(std::map<std::string, std::string>{
                                {"heiasync_run_lock_held", "1"},
                                {"heiasync_run_progress_timestamp_seconds", "1782869455"},
                                {"heiasync_config_last_reload_successful", "0"},
                                {"heiasync_config_last_reload_success_timestamp_seconds", "1782865860"},
                                {"heiasync_next_run_timestamp_seconds", "1782873060"},
                                {"heiasync_run_last_success_timestamp_seconds{stream=\"reports\"}", "1782862260"},
                                {"heiasync_run_last_success_timestamp_seconds{stream=\"usage_stats\"}", "0"},
                                {"heiasync_gaps{state=\"open\",stream=\"usage_stats\"}", "3"},
                                {"heiasync_gaps{state=\"final\",stream=\"usage_stats\"}", "4"},
                                {"heiasync_period_missing", "1"},
                                {"heiasync_organisations", "31"},
                                {"heiasync_organisations_held_back", "6"},
                                {"heiasync_schema_version", "11"},
                                {"heiasync_condition{condition=\"credentials\"}", "1"},
                                {"heiasync_condition{condition=\"api\"}", "0"},
                                {"heiasync_database_up", "1"}}));
    EXPECT_EQ(value("heiasync_run_lock_held"), "0") << "and forgets it";
    state.database.holds(log, "it takes no rows");
    EXPECT_EQ(value("heiasync_database_up", state), "0");
    service::State failed;
    failed.database_look = {std::chrono::steady_clock::now(), "away"};
    EXPECT_EQ(value("heiasync_database_up", failed), "0");
}

TEST_F(MetricsTest, TellOfTheProcess) {
    const auto values = all();
    const double started = std::stod(values.at("process_start_time_seconds"));
    const double clock = std::chrono::duration<double>{core::SystemClock{}.now().time_since_epoch()}.count();
    EXPECT_NEAR(started, clock, 600);
    EXPECT_LE(started, clock + 2);
    EXPECT_GE(std::stod(values.at("process_open_fds")), 3);
    EXPECT_GE(std::stod(values.at("process_max_fds")), std::stod(values.at("process_open_fds")));
    EXPECT_GT(std::stod(values.at("process_resident_memory_bytes")), 1e6);
    EXPECT_GT(std::stod(values.at("process_virtual_memory_bytes")),
              std::stod(values.at("process_resident_memory_bytes")));
    EXPECT_EQ(values.at("process_threads"), "1");
    while (std::stod(value("process_cpu_seconds_total")) < 0.02) {
    }
}

}  // namespace
}  // namespace heiasync::status
