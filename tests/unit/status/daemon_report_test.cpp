#include "status/daemon_report.hpp"

#include "calendar/calendar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <string>

namespace heiasync::status {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const core::Instant now = core::parse_instant("2026-07-01T01:31:00Z");

const service::State idle;

service::State busy() {
    spdlog::logger log{"silent"};
    service::State state;
    state.configuration.loaded_at = now - std::chrono::hours{2};
    state.configuration.last_reload_ok = false;
    state.configuration.last_reload_error = "a.yaml:1:2: \"x\"\na.yaml:3:4: \xff\xc3\xa4";
    state.configuration.client_secret_loaded_at = now - std::chrono::hours{3};
    state.configuration.magic_token_loaded_at = now - std::chrono::hours{4};
    service::State::RunInHand run;
    run.trigger = history::Trigger::catch_up;
    run.scheduled_for = now - std::chrono::minutes{1};
    run.started_at = now;
    run.progress.sync_run_id = 5;
    run.progress.organisations_done = 1;
    run.progress.organisations = 2;
    run.progress.requests = 3;
    run.progress.failures = 4;
    state.run = run;
    state.next_run = now + std::chrono::hours{24};
    state.api.holds(log, "the API is not available: 503");
    return state;
}

/// Of a ledger that nobody has looked into yet.
#define LEDGER_JSON                                                                                             \
    R"("last_runs":[],"streams":[{"stream":"organisations","last_success":null,"open_gaps":0,"final_gaps":0},)" \
    R"({"stream":"usage_stats","last_success":null,"open_gaps":0,"final_gaps":0},)"                             \
    R"({"stream":"energy_levels","last_success":null,"open_gaps":0,"final_gaps":0},)"                           \
    R"({"stream":"reports","last_success":null,"open_gaps":0,"final_gaps":0}],)"

constexpr const char* busy_json =
    R"({"version":"1.2.3","now":"2026-07-01T01:31:00Z","time_zone":"Europe/Helsinki",)"
    R"("run":{"trigger":"catch_up","scheduled_for":"2026-07-01T01:30:00Z","started_at":"2026-07-01T01:31:00Z",)"
    R"("sync_run_id":5,"organisations_done":1,"organisations":2,"requests":3,"failures":4},)"
    R"("next_run":{"local":"2026-07-02T04:31:00+03:00","utc":"2026-07-02T01:31:00Z"},)" LEDGER_JSON
    R"("config":{"loaded_at":"2026-06-30T23:31:00Z","last_reload_ok":false,)"
    R"("last_reload_error":"a.yaml:1:2: \"x\"\na.yaml:3:4: )"
    "\xEF\xBF\xBD\xC3\xA4"
    R"(","client_secret_loaded_at":"2026-06-30T22:31:00Z","magic_token_loaded_at":"2026-06-30T21:31:00Z"},)"
    R"("conditions":[{"condition":"api","seconds":0,"message":"the API is not available: 503"}]})";

TEST(DaemonReport, IsJsonWithAllThatTheDaemonKnows) {
    EXPECT_EQ(to_json(report_of(busy(), "1.2.3", now, calendar::find_zone("Europe/Helsinki"))), busy_json);
}

TEST(DaemonReport, OfADaemonThatHasJustStartedHasNulls) {
    EXPECT_EQ(to_json(report_of(idle, "1", core::Instant{}, calendar::find_zone("UTC"))),
              R"({"version":"1","now":"1970-01-01T00:00:00Z","time_zone":"UTC","run":null,"next_run":null,)" LEDGER_JSON
              R"("config":{"loaded_at":"1970-01-01T00:00:00Z","last_reload_ok":true,"last_reload_error":null,)"
              R"("client_secret_loaded_at":"1970-01-01T00:00:00Z","magic_token_loaded_at":"1970-01-01T00:00:00Z"},)"
              R"("conditions":[]})");
}

TEST(DaemonReport, IsReadAsItWasWritten) {
    const auto report = parse_report(busy_json);
    ASSERT_TRUE(report);
    EXPECT_EQ(to_json(*report), busy_json);
    const std::string idle_json = to_json(report_of(idle, "1", now, calendar::find_zone("UTC")));
    const auto idle_report = parse_report(idle_json);
    ASSERT_TRUE(idle_report);
    EXPECT_EQ(to_json(*idle_report), idle_json);
}

TEST(DaemonReport, OfALaterVersionMayHaveMoreMembers) {
    std::string json{busy_json};
    json.insert(1, R"("more":{"a":[1]},)");
    EXPECT_TRUE(parse_report(json));
}

TEST(DaemonReport, AnythingElseIsNone) {
    const std::string json{busy_json};
    const auto with = [&json](const std::string& text, const std::string& instead) {
        const auto place = json.find(text);
        EXPECT_NE(place, std::string::npos) << text;
        return std::string{json}.replace(place, text.size(), instead);
    };
    for (const std::string& other :
         {std::string{}, std::string{"[]"}, std::string{"{}"}, std::string{"null"}, json + "x", json.substr(1),
          std::string(100'000, '['), with(R"("version":"1.2.3")", R"("version":1)"),
          with(R"("now":"2026-07-01T01:31:00Z")", R"("now":"now")"), with("Europe/Helsinki", "Europe/Nowhere"),
          with("catch_up", "whim"), with(R"("organisations":2)", R"("organisations":"2")"),
          with(R"("failures":4)", R"("failures":1e99)"), with(R"("failures":4)", R"("failure":4)"),
          with(R"("last_reload_ok":false)", R"("last_reload_ok":0)"), with(R"("run":{)", R"("run":7,"was":{)"),
          with("\xC3\xA4", "\xC3"), with(R"([{"condition")", R"([0,{"condition")"),
          with(R"("seconds":0)", R"("seconds":null)")}) {
        EXPECT_FALSE(parse_report(other)) << other.substr(0, 1000);
    }
}

TEST(DaemonReport, AConditionThatHasEndedIsNone) {
    spdlog::logger log{"silent"};
    service::State state = busy();
    state.api.has_ended(log);
    EXPECT_THAT(report_of(state, "", now, calendar::find_zone("UTC")).hindrances, IsEmpty());
    for (service::Condition* condition : {&state.database, &state.lock, &state.api, &state.credentials, &state.clock}) {
        condition->holds(log, "it does");
    }
    EXPECT_THAT(report_of(state, "", now, calendar::find_zone("UTC")).hindrances, SizeIs(5));
}

}  // namespace
}  // namespace heiasync::status
