#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heiasync::http {

/// Scheme, host and port of a server: what decides who sees an authorisation header.
struct Origin {
    std::string scheme;  ///< `http` or `https`
    std::string host;    ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 0;

    [[nodiscard]] bool tls() const { return scheme == "https"; }
    [[nodiscard]] bool loopback() const;  ///< localhost, 127.0.0.0/8 or ::1
    friend bool operator==(const Origin&, const Origin&) = default;
};

/// `https://api.example.com`, with the port where it is not the scheme's own.
std::string to_string(const Origin& origin);

/// `api.example.com:443`, `[2001:db8::1]:443`: how a server is named in messages and asked for at a proxy.
std::string authority(const Origin& origin);

struct Url {
    Origin origin;
    std::string target;  ///< path and query as they are sent, at least `/`
};

/// Reads an absolute http or https URL without user information; a fragment is dropped. Throws std::invalid_argument,
/// whose text does not repeat the URL.
Url parse_url(std::string_view text);

/// Resolves a Location header against the URL that answered with it. Throws std::invalid_argument, as parse_url.
Url resolve(const Url& base, std::string_view location);

/// Percent-encodes everything but unreserved characters (RFC 3986): for path segments and query values.
std::string encode_component(std::string_view text);

}  // namespace heiasync::http
