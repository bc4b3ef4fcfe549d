#pragma once

#include "core/secret.hpp"
#include "http/url.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace heiasync::http {

/// A proxy that is spoken to in plain HTTP: CONNECT for https, absolute URLs for http.
struct Proxy {
    Origin origin;
    core::Secret authorization;  ///< of Proxy-Authorization: `Basic ...`; empty: none
};

/// Reads `http://[user:password@]host:port`; the scheme may be left out. Throws std::invalid_argument, whose text does
/// not repeat the input.
Proxy parse_proxy(std::string_view text);

/// The variables that name a proxy where the settings do not, as curl reads them.
struct ProxyEnvironment {
    std::string https_proxy;
    std::string http_proxy;
    std::string no_proxy;  ///< host names with their subdomains, addresses, CIDR ranges, or `*`; by commas or spaces
};

/// `https_proxy` or `HTTPS_PROXY`, `no_proxy` or `NO_PROXY`, and `http_proxy` in lower case only: a CGI server sets the
/// other from a request's header.
ProxyEnvironment proxy_environment();

/// The proxy for a server. A loopback server has none, whatever is set. A proxy from the settings is for every other
/// server, one from the environment for those that no_proxy does not name.
std::optional<Proxy> decide_proxy(const Origin& server, const std::optional<std::string>& setting,
                                  const ProxyEnvironment& environment);

}  // namespace heiasync::http
