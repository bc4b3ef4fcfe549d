#include "status/respond.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace heiasync::status {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Response respond(std::string_view method, std::string_view target) {
    static const std::vector<Page> pages{{"/a", [] { return failure(503); }}, {"/b/c", [] {
                                                                                   Response response;
                                                                                   response.body = "c\n";
                                                                                   return response;
                                                                               }}};
    return status::respond(method, target, pages);
}

TEST(Respond, ToGetAndHeadOfItsPages) {
    for (const auto* method : {"GET", "HEAD"}) {
        for (const auto* target : {"/b/c", "/b/c?", "/b/c?pretty=1"}) {
            const Response response = respond(method, target);
            EXPECT_EQ(response.status, 200U) << method << target;
            EXPECT_EQ(response.body, "c\n");
        }
        EXPECT_EQ(respond(method, "/a").body, "503 Service Unavailable\n");
    }
}

TEST(Respond, ThatThereIsNothingElse) {
    for (const auto* target :
         {"", "/", "*", "/b", "/b/c/", "/B/c", "/b/c#x", "//b/c", "http://127.0.0.1/b/c", "/b/c%00"}) {
        const Response response = respond("GET", target);
        EXPECT_EQ(response.status, 404U) << target;
        EXPECT_EQ(response.body, "404 Not Found\n");
        EXPECT_EQ(respond("POST", target).status, 404U);
    }
}

TEST(Respond, ThatItOnlyReads) {
    for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
        const Response response = respond(method, "/b/c");
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
