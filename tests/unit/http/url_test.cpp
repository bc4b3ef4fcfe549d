#include "http/url.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::http {
namespace {

struct Case {
    std::string_view text;
    Origin origin;
    std::string_view target;
};

TEST(ParseUrl, ReadsOriginAndTarget) {
    const Case cases[] = {
        {"https://api.example.com", {"https", "api.example.com", 443}, "/"},
        {"HTTPS://API.Example.COM/a/b?c=d#e", {"https", "api.example.com", 443}, "/a/b?c=d"},
        {"http://127.0.0.1:8080/x", {"http", "127.0.0.1", 8080}, "/x"},
        {"http://[::1]:81?q", {"http", "::1", 81}, "/?q"},
        {"http://[0:0::1]/", {"http", "::1", 80}, "/"},
        {"https://a.example:/", {"https", "a.example", 443}, "/"},
        {"https://a.example/%41%2f?a=%20", {"https", "a.example", 443}, "/%41%2f?a=%20"},
    };
    for (const Case& c : cases) {
        const Url url = parse_url(c.text);
        EXPECT_EQ(url.origin, c.origin) << c.text;
        EXPECT_EQ(url.target, c.target) << c.text;
    }
}

TEST(ParseUrl, RefusesWithoutRepeatingIt) {
    for (const std::string_view text :
         {"", "secret", "/secret", "ftp://secret.example/", "https://user:secret@a.example/",
          "https://secret.example:0/", "https://secret.example:65536/", "https:///secret",
          "https://a.example/secret thing", "https://sec%0aret/", "https://a.example/\r\nsecret", "mailto:secret",
          "http://[v1.secret]/", "http://127.0.0.1.secret.example/", "http://127.0.0.1secret"}) {
        try {
            parse_url(text);
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& error) {
            EXPECT_EQ(std::string_view{error.what()}.find("secret"), std::string_view::npos) << text;
        }
    }
}

TEST(ResolveUrl, TakesEveryFormOfReference) {
    const Url base = parse_url("https://a.example:8443/one/two?three");
    const auto resolved = [&](std::string_view location) {
        const Url url = resolve(base, location);
        return to_string(url.origin) + url.target;
    };
    EXPECT_EQ(resolved("https://b.example/x?y#z"), "https://b.example/x?y");
    EXPECT_EQ(resolved("//b.example/x"), "https://b.example/x");
    EXPECT_EQ(resolved("/x"), "https://a.example:8443/x");
    EXPECT_EQ(resolved("x"), "https://a.example:8443/one/x");
    EXPECT_EQ(resolved("../x/./y"), "https://a.example:8443/x/y");
    EXPECT_EQ(resolved("?q"), "https://a.example:8443/one/two?q");
    EXPECT_THROW(static_cast<void>(resolve(base, "ht tp://x")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(resolve(base, "file:///etc/passwd")), std::invalid_argument);
}

TEST(Origin, LoopbackIsByAddressOrLocalhost) {
    for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1"}) {
        EXPECT_TRUE((Origin{"http", host, 80}).loopback()) << host;
    }
    for (const char* host : {"localhost.example", "128.0.0.1", "::2", "127.0.0.1.example", "10.0.0.1"}) {
        EXPECT_FALSE((Origin{"http", host, 80}).loopback()) << host;
    }
}

TEST(Origin, IsWrittenWithThePortWhereItIsNotTheSchemes) {
    EXPECT_EQ(to_string(Origin{"https", "a.example", 443}), "https://a.example");
    EXPECT_EQ(to_string(Origin{"https", "a.example", 80}), "https://a.example:80");
    EXPECT_EQ(to_string(Origin{"http", "::1", 80}), "http://[::1]");
    EXPECT_EQ(authority(Origin{"http", "::1", 80}), "[::1]:80");
}

TEST(EncodeComponent, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(encode_component("aZ0-._~"), "aZ0-._~");
    EXPECT_EQ(encode_component("a b/c?d&e=f,g%h\r\n"), "a%20b%2Fc%3Fd%26e%3Df%2Cg%25h%0D%0A");
    EXPECT_EQ(encode_component("\xc3\xa4"), "%C3%A4");
}

}  // namespace
}  // namespace heiasync::http
