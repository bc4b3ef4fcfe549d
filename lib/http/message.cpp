#include "http/message.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace heiasync::http {
namespace {

/// Written by the client, or telling where a message ends.
constexpr std::array<std::string_view, 13> own_headers{
    "accept",    "accept-encoding", "authorization", "connection", "content-length",      "content-type",
    "cookie",    "expect",          "host",          "te",         "proxy-authorization", "transfer-encoding",
    "user-agent"};

bool token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::size_t size_bound(const Request& request, const Url& url, std::string_view user_agent,
                       const core::Secret* proxy_authorization) {
    constexpr std::size_t fixed_parts = 512;
    std::size_t size = fixed_parts + url.target.size() + 2 * url.origin.host.size() + user_agent.size();
    size += request.bearer ? request.bearer->reveal().size() : 0;
    size += request.body ? request.body->reveal().size() : 0;
    size += proxy_authorization != nullptr ? proxy_authorization->reveal().size() : 0;
    for (const auto& [name, value] : request.headers) {
        size += name.size() + value.size() + 4;
    }
    return size;
}

}  // namespace

void check_header_value(std::string_view value, std::string_view what) {
    const auto allowed = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
    if (!std::ranges::all_of(value, allowed)) {
        throw std::invalid_argument{fmt::format("{} holds characters that no header may hold", what)};
    }
}

void check(const Request& request) {
    if (request.method != "GET" && request.method != "POST") {
        throw std::invalid_argument{"only GET and POST are sent"};
    }
    const auto visible = [](char c) { return c > ' ' && c <= '~'; };
    if (!request.url.target.starts_with('/') || !std::ranges::all_of(request.url.target, visible)) {
        throw std::invalid_argument{"the request's target is not a path with a query"};
    }
    if (request.bearer) {
        const std::string& token = request.bearer->reveal();
        if (token.empty() || !std::ranges::all_of(token, visible)) {
            throw std::invalid_argument{"the access token is empty or holds characters that no token may hold"};
        }
    }
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || !std::ranges::all_of(name, token_character)) {
            throw std::invalid_argument{"a header's name is not one"};
        }
        if (std::ranges::any_of(own_headers, [&](std::string_view own) { return equal_ignoring_case(own, name); })) {
            throw std::invalid_argument{fmt::format("the header {} is the client's own", name)};
        }
        check_header_value(value, "the header " + name);
    }
}

RequestText::RequestText(const Request& request, const Destination& destination, std::string_view user_agent) {
    const Url& url = destination.url;
    // Reserved before, so that growing leaves no copy behind.
    text_.reserve(size_bound(request, url, user_agent, destination.proxy_authorization));
    const auto append = [this](auto... parts) { (text_.append(parts), ...); };
    const std::string origin = to_string(url.origin);
    const std::string_view host = std::string_view{origin}.substr(origin.find("://") + 3);

    append(std::string_view{request.method}, " ");
    if (destination.proxy_authorization != nullptr) {
        append(std::string_view{origin});
    }
    append(std::string_view{url.target}, " HTTP/1.1\r\nHost: ", host, "\r\nUser-Agent: ", user_agent,
           "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n");
    if (destination.proxy_authorization != nullptr && !destination.proxy_authorization->empty()) {
        append("Proxy-Authorization: ", std::string_view{destination.proxy_authorization->reveal()}, "\r\n");
    }
    if (request.bearer && destination.authorised) {
        append("Authorization: Bearer ", std::string_view{request.bearer->reveal()}, "\r\n");
    }
    for (const auto& [name, value] : request.headers) {
        append(std::string_view{name}, ": ", std::string_view{value}, "\r\n");
    }
    if (request.body) {
        const std::string_view body = request.body->reveal();
        append("Content-Type: application/json\r\nContent-Length: ", std::string_view{std::to_string(body.size())},
               "\r\n\r\n", body);
    } else if (request.method == "POST") {
        append("Content-Length: 0\r\n\r\n");
    } else {
        append("\r\n");
    }
}

RequestText::~RequestText() {
    OPENSSL_cleanse(text_.data(), text_.size());
}

}  // namespace heiasync::http
