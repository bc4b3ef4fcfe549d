#include "status/respond.hpp"

#include "calendar/calendar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace heiasync::status {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const service::State idle;

DaemonReport report() {
    return report_of(idle, "1.2.3", core::parse_instant("2026-07-01T01:30:00Z"), calendar::find_zone("UTC"));
}

TEST(Respond, ToGetAndHeadOfItsOnePath) {
    for (const auto* method : {"GET", "HEAD"}) {
        for (const auto* target : {"/api/v1/status", "/api/v1/status?", "/api/v1/status?pretty=1"}) {
            const Response response = respond(method, target, report);
            EXPECT_EQ(response.status, 200U) << method << target;
            EXPECT_EQ(response.content_type, "application/json");
            EXPECT_EQ(response.body, to_json(report()) + '\n');
        }
    }
}

TEST(Respond, ThatThereIsNothingElse) {
    for (const auto* target : {"", "/", "*", "/api/v1/statu", "/api/v1/status/", "/API/v1/status", "/api/v1/status#x",
                               "//api/v1/status", "http://127.0.0.1/api/v1/status", "/api/v1/status%00"}) {
        const Response response = respond("GET", target, report);
        EXPECT_EQ(response.status, 404U) << target;
        EXPECT_EQ(response.body, "404 Not Found\n");
        EXPECT_EQ(respond("POST", target, report).status, 404U);
    }
}

TEST(Respond, ThatItOnlyReads) {
    for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
        const Response response = respond(method, "/api/v1/status", report);
        EXPECT_EQ(response.status, 405U) << method;
        EXPECT_EQ(response.body, "405 Method Not Allowed\n");
        EXPECT_THAT(to_text(response, false), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    }
}

TEST(Respond, HeadHasTheHeadOfGet) {
    const Response response = failure(404);
    const std::string whole = to_text(response, false);
    EXPECT_THAT(whole, StartsWith("HTTP/1.1 404 Not Found\r\n"));
    EXPECT_THAT(whole, HasSubstr("\r\nContent-Length: 14\r\n"));
    EXPECT_THAT(whole, EndsWith("\r\n\r\n404 Not Found\n"));
    EXPECT_THAT(whole, Not(HasSubstr("Allow")));
    EXPECT_EQ(to_text(response, true) + response.body, whole);
}

}  // namespace
}  // namespace heiasync::status
