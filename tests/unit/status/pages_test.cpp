#include "status/pages.hpp"

#include "calendar/calendar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <chrono>

namespace heiasync::status {
namespace {

using namespace std::chrono_literals;

TEST(Pages, StatusIsTheReportAsJson) {
    const service::State idle;
    const DaemonReport report =
        report_of(idle, "1.2.3", core::parse_instant("2026-07-01T01:30:00Z"), calendar::find_zone("UTC"));
    const Response response = status_page(report);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.body, to_json(report) + '\n');
}

TEST(Pages, TheFirstOneTellsPeopleWhatHindersTheDaemon) {
    spdlog::logger log{"silent"};
    service::State state;
    state.database.holds(log, "FATAL: no <pg_hba.conf> entry & \xff");
    const Response response =
        front_page(report_of(state, "1.2.3", core::parse_instant("2026-07-01T01:30:00Z"), calendar::find_zone("UTC")));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(response.body, ::testing::HasSubstr("<h1>heiasyncd 1.2.3</h1>\n<p>database away for 0 s, trying</p>"));
    EXPECT_THAT(response.body,
                ::testing::HasSubstr("<li>for 0 s: FATAL: no &lt;pg_hba.conf&gt; entry &amp; \xEF\xBF\xBD</li>"));
}

TEST(Pages, HealthNamesWhatStandsStill) {
    service::CheckIns check_ins;
    EXPECT_EQ(health_page(check_ins).status, 200U);
    EXPECT_EQ(health_page(check_ins).body, "healthy\n");
    check_ins.scheduler.again_within(-1s);
    check_ins.database.again_within(1h);
    EXPECT_EQ(health_page(check_ins).status, 503U);
    EXPECT_EQ(health_page(check_ins).body, "standing still: the scheduler\n");
    check_ins.database.again_within(-1s);
    EXPECT_EQ(health_page(check_ins).body, "standing still: the scheduler, the database thread\n");
}

TEST(Pages, ReadinessTellsTheAgeAndTheFailureOfTheLastLook) {
    service::State state;
    EXPECT_EQ(readiness_page(state).status, 503U);
    EXPECT_EQ(readiness_page(state).body, "not ready: the database has not been looked at yet\n");
    const auto now = std::chrono::steady_clock::now();
    state.database_look = {now - 12s, std::nullopt};
    EXPECT_EQ(readiness_page(state, now).status, 200U);
    EXPECT_EQ(readiness_page(state, now).body, "ready: the database answered 12 s ago\n");
    state.database_look = {now - 3s, "it is away \xff"};
    EXPECT_EQ(readiness_page(state, now).status, 503U);
    EXPECT_EQ(readiness_page(state, now).body, "not ready, 3 s ago: it is away \xEF\xBF\xBD\n");
}

TEST(Pages, AHeldLockAndRejectedCredentialsDoNotMakeItUnready) {
    spdlog::logger log{"silent"};
    service::State state;
    state.database_look = {std::chrono::steady_clock::now(), std::nullopt};
    state.lock.holds(log, "held");
    state.credentials.holds(log, "rejected");
    state.api.holds(log, "away");
    EXPECT_EQ(readiness_page(state).status, 200U);
    state.database.holds(log, "it takes no rows");
    EXPECT_EQ(readiness_page(state).status, 503U) << "it can be read, and not be written";
}

}  // namespace
}  // namespace heiasync::status
