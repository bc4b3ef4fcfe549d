#include "http/message.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::http {
namespace {

Request request() {
    return Request{"GET /things/{id}", parse_url("https://a.example:8443/x?y")};
}

std::string written(const Request& request, const Destination& destination) {
    return std::string{RequestText{request, destination, "heiasyncd/1"}.bytes()};
}

TEST(RequestText, WritesAGet) {
    Request get = request();
    get.bearer = core::Secret{"t0ken"};
    get.headers = {{"X-Simulated-Time", "2026-07-01T00:00:00Z"}};
    EXPECT_EQ(written(get, {get.url, true, nullptr}),
              "GET /x?y HTTP/1.1\r\nHost: a.example:8443\r\nUser-Agent: heiasyncd/1\r\nAccept: application/json\r\n"
              "Accept-Encoding: gzip\r\nAuthorization: Bearer t0ken\r\nX-Simulated-Time: 2026-07-01T00:00:00Z\r\n\r\n");
    EXPECT_EQ(written(get, {get.url, false, nullptr}).find("t0ken"), std::string::npos);
}

TEST(RequestText, WritesAPost) {
    Request post = request();
    post.method = "POST";
    post.body = core::Secret{"{}"};
    EXPECT_TRUE(written(post, {post.url, true, nullptr})
                    .ends_with("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"));
    post.body.reset();
    EXPECT_TRUE(written(post, {post.url, true, nullptr}).ends_with("Content-Length: 0\r\n\r\n"));
}

TEST(RequestText, WritesTheAbsoluteUrlForAProxy) {
    const Url url = parse_url("http://a.example/x");
    const core::Secret basic{"Basic abc"};
    const core::Secret none;
    const std::string text = written(request(), {url, true, &basic});
    EXPECT_TRUE(text.starts_with("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n")) << text;
    EXPECT_NE(text.find("\r\nProxy-Authorization: Basic abc\r\n"), std::string::npos);
    EXPECT_EQ(written(request(), {url, true, &none}).find("Proxy-Authorization"), std::string::npos);
}

void expect_refused(const Request& bad) {
    try {
        check(bad);
        ADD_FAILURE() << "not refused";
    } catch (const std::invalid_argument& error) {
        EXPECT_EQ(std::string_view{error.what()}.find("injected"), std::string_view::npos);
    }
}

TEST(CheckRequest, RefusesWhatCouldBecomeAnotherHeader) {
    EXPECT_NO_THROW(check(request()));
    const std::string injection = std::string{"a\r\ninjected: b"};
    Request bad = request();
    bad.method = "GET /injected";
    expect_refused(bad);
    for (const std::string& target :
         {std::string{}, std::string{"injected"}, "/" + injection, std::string{"/a injected"}}) {
        bad = request();
        bad.url.target = target;
        expect_refused(bad);
    }
    for (const std::string& token :
         {std::string{}, injection, std::string{"a injected"}, std::string{"a\0injected", 10}}) {
        bad = request();
        bad.bearer = core::Secret{token};
        expect_refused(bad);
    }
    for (const auto& header : std::vector<std::pair<std::string, std::string>>{{"", "x"},
                                                                               {injection, "x"},
                                                                               {"x", injection},
                                                                               {"x:", "injected"},
                                                                               {"AUTHORIZATION", "injected"},
                                                                               {"Content-Length", "5"},
                                                                               {"transfer-encoding", "chunked"},
                                                                               {"x", "\x80injected"}}) {
        bad = request();
        bad.headers = {header};
        expect_refused(bad);
    }
}

}  // namespace
}  // namespace heiasync::http
