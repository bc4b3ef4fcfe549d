#include "http/redirect.hpp"

#include <gtest/gtest.h>

namespace heiasync::http {
namespace {

using Action = RedirectDecision::Action;

const Url secure = parse_url("https://a.example/one/two");
const Url plain = parse_url("http://a.example/one/two");

TEST(DecideRedirect, FollowsAGetOnlyByARedirectStatus) {
    for (const unsigned status : {301U, 302U, 303U, 307U, 308U}) {
        EXPECT_EQ(decide_redirect("GET", secure, status, "/x", 0).action, Action::follow) << status;
        EXPECT_EQ(decide_redirect("POST", secure, status, "/x", 0).action, Action::refuse) << status;
    }
    for (const unsigned status : {200U, 201U, 300U, 304U, 305U, 306U, 400U, 503U}) {
        EXPECT_EQ(decide_redirect("GET", secure, status, "/x", 0).action, Action::answer) << status;
        EXPECT_EQ(decide_redirect("POST", secure, status, "/x", 0).action, Action::answer) << status;
    }
}

TEST(DecideRedirect, ResolvesTheLocation) {
    const auto decision = decide_redirect("GET", secure, 302, "//b.example:8443/x?y", 0);
    EXPECT_EQ(decision.to.origin, (Origin{"https", "b.example", 8443}));
    EXPECT_EQ(decision.to.target, "/x?y");
    EXPECT_EQ(decide_redirect("GET", secure, 302, "three", 0).to.target, "/one/three");
}

TEST(DecideRedirect, NeverLeavesHttps) {
    EXPECT_EQ(decide_redirect("GET", secure, 302, "http://a.example/", 0).action, Action::refuse);
    EXPECT_EQ(decide_redirect("GET", plain, 302, "http://b.example/", 0).action, Action::follow);
    EXPECT_EQ(decide_redirect("GET", plain, 302, "https://b.example/", 0).action, Action::follow);
}

TEST(DecideRedirect, StopsAfterFive) {
    EXPECT_EQ(decide_redirect("GET", secure, 302, "/x", 4).action, Action::follow);
    EXPECT_EQ(decide_redirect("GET", secure, 302, "/x", 5).action, Action::refuse);
}

TEST(DecideRedirect, RefusesWhatLeadsNowhereWithoutRepeatingIt) {
    EXPECT_EQ(decide_redirect("GET", secure, 302, std::nullopt, 0).action, Action::refuse);
    for (const std::string_view location : {"ftp://secret/", "https://user:secret@b.example/", "ht tp:secret",
                                            "https://b.example:99999/secret", "javascript:secret"}) {
        const auto decision = decide_redirect("GET", secure, 302, location, 0);
        EXPECT_EQ(decision.action, Action::refuse) << location;
        EXPECT_EQ(decision.reason.find("secret"), std::string_view::npos);
    }
}

}  // namespace
}  // namespace heiasync::http
