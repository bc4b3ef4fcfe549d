#include "http/url.hpp"

#include "fuzz/property.hpp"
#include "http/message.hpp"
#include "http/proxy.hpp"
#include "http/redirect.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>

namespace heiasync::fuzz {

namespace {

std::string text_of(const http::Url& url) {
    return to_string(url.origin) + url.target;
}

bool same(const http::Url& one, const http::Url& other) {
    return one.origin == other.origin && one.target == other.target;
}

/// What `read` makes of a text, unless it refuses it.
template <class Read>
auto accepted(Read read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

void check_url(const http::Url& url) {
    require(url.origin.scheme == "https" || url.origin.scheme == "http", "a URL is http or https");
    require(!url.origin.host.empty() && url.origin.port != 0, "a URL has a server");
    require(url.origin.host.find_first_of("/?#@ \r\n") == std::string::npos, "a host is a host");
    require(same(http::parse_url(text_of(url)), url), "a URL is read as it is written");

    http::check(http::Request{"a route", url});
    const http::Destination destination{url, false, nullptr};
    const http::RequestText request{http::Request{"a route", url}, destination, "test"};
    const auto bytes = request.bytes();
    require(std::ranges::count(bytes, '\n') == 6 && bytes.ends_with("\r\n\r\n"), "a URL adds no line to a request");
}

void check_redirect(const http::Url& from, unsigned status, std::string_view location) {
    using Action = http::RedirectDecision::Action;
    for (const auto followed : {0, http::max_redirects}) {
        const auto decision = http::decide_redirect("GET", from, status, location, followed);
        if (decision.action == Action::follow) {
            require(followed < http::max_redirects, "there is an end to redirects");
            require(decision.to.origin.tls() || !from.origin.tls(), "https does not become http");
            check_url(decision.to);
        }
        require((decision.action == Action::refuse) == !decision.reason.empty(), "a refusal has a reason");
    }
    require(http::decide_redirect("POST", from, status, location, 0).action != Action::follow,
            "a body is sent to where it was meant for alone");
}

void check_proxy(const http::Origin& server, std::string_view proxy, std::string_view no_proxy) {
    const http::ProxyEnvironment environment{std::string{proxy}, std::string{proxy}, std::string{no_proxy}};
    const auto decided = accepted([&] { return http::decide_proxy(server, std::nullopt, environment); });
    if (decided && *decided) {
        require(!server.loopback(), "a loopback server has no proxy");
        require((*decided)->origin.scheme == "http", "a proxy is spoken to in plain HTTP");
        http::check_header_value((*decided)->authorization.reveal(), "what a proxy is shown");
    }
}

}  // namespace

/// A URL, and in the next lines a status, a Location, the setting of a proxy and of no_proxy.
void check(std::string_view input) {
    const auto text = take_line(input);
    const auto url = accepted([&] { return http::parse_url(text); });
    if (!url) {
        return;
    }
    check_url(*url);
    const auto status = take_line(input);
    unsigned number = 0;
    std::from_chars(status.data(), status.data() + status.size(), number);
    check_redirect(*url, number, take_line(input));
    const auto proxy = take_line(input);
    check_proxy(url->origin, proxy, input);
    require(http::encode_component(text).find_first_of("/?&=# \r\n") == std::string::npos,
            "what is encoded is a value");
}

}  // namespace heiasync::fuzz
