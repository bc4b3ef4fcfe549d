#include "http/proxy.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::http {
namespace {

const Origin server{"https", "api.example.com", 443};

bool proxied(const Origin& origin, const std::string& no_proxy) {
    return decide_proxy(origin, std::nullopt, {"http://p.example:3128", "http://q.example:3128", no_proxy}).has_value();
}

TEST(DecideProxy, SettingBeforeEnvironment) {
    const ProxyEnvironment environment{"http://p.example:3128", "q.example:3129", ""};
    EXPECT_EQ(decide_proxy(server, "http://s.example:1", environment)->origin.host, "s.example");
    EXPECT_EQ(decide_proxy(server, std::nullopt, environment)->origin.host, "p.example");
    EXPECT_EQ(decide_proxy({"http", "a.example", 80}, std::nullopt, environment)->origin.host, "q.example");
    EXPECT_FALSE(decide_proxy(server, std::nullopt, {}));
    EXPECT_TRUE(decide_proxy(server, "http://s.example:1", {"", "", "*"}));
}

TEST(DecideProxy, NeverForLoopback) {
    for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
        EXPECT_FALSE(decide_proxy({"https", host, 443}, "http://s.example:1", {"http://p.example:1", "", ""})) << host;
    }
}

TEST(DecideProxy, NoProxyNamesHostsAddressesAndRanges) {
    for (const char* list : {"*", "api.example.com", "example.com", ".example.com", "EXAMPLE.com", "a.b, example.com",
                             "a.b example.com", "api.example.com:443", ",,example.com,"}) {
        EXPECT_FALSE(proxied(server, list)) << list;
    }
    for (const char* list : {"", "ample.com", "api.example.com:80", "www.api.example.com", "com.example", ".", ":443",
                             "10.0.0.0/8", "[api.example.com", "nonsense/99"}) {
        EXPECT_TRUE(proxied(server, list)) << list;
    }
    const Origin ipv4{"https", "10.1.2.3", 443};
    EXPECT_FALSE(proxied(ipv4, "10.1.2.3"));
    EXPECT_FALSE(proxied(ipv4, "10.0.0.0/8"));
    EXPECT_FALSE(proxied(ipv4, "10.1.2.99/24"));
    EXPECT_TRUE(proxied(ipv4, "10.1.3.0/24"));
    EXPECT_TRUE(proxied(ipv4, "::/0"));
    const Origin ipv6{"https", "2001:db8::1", 443};
    EXPECT_FALSE(proxied(ipv6, "2001:db8::1"));
    EXPECT_FALSE(proxied(ipv6, "[2001:db8::1]:443"));
    EXPECT_TRUE(proxied(ipv6, "[2001:db8::1]:80"));
    EXPECT_FALSE(proxied(ipv6, "2001:db8::/32"));
    EXPECT_TRUE(proxied(ipv6, "2001:db9::/32"));
}

TEST(ParseProxy, TakesCredentialsAndBareHosts) {
    EXPECT_EQ(parse_proxy("http://p.example:3128").origin, (Origin{"http", "p.example", 3128}));
    EXPECT_EQ(parse_proxy("p.example:3128/").origin, (Origin{"http", "p.example", 3128}));
    EXPECT_EQ(parse_proxy("http://[::1]:3128").origin, (Origin{"http", "::1", 3128}));
    EXPECT_TRUE(parse_proxy("http://p.example:3128").authorization.empty());
    EXPECT_EQ(parse_proxy("http://us%40er:p%3Aw@p.example").authorization.reveal(), "Basic dXNAZXI6cDp3");
}

TEST(ParseProxy, RefusesWithoutRepeatingIt) {
    for (const std::string_view text :
         {"", "https://secret:3128", "socks5://secret:1080", "http://u:secret@", "sec ret"}) {
        try {
            parse_proxy(text);
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& error) {
            EXPECT_EQ(std::string_view{error.what()}.find("secret"), std::string_view::npos);
        }
    }
}

}  // namespace
}  // namespace heiasync::http
