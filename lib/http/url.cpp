#include "http/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace heiasync::http {
namespace {

namespace urls = boost::urls;

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::string text(boost::core::string_view view) {
    return {view.data(), view.size()};
}

std::uint16_t default_port(std::string_view scheme) {
    return scheme == "https" ? https_port : http_port;
}

std::string host_of(const urls::url_view_base& url) {
    if (url.host_type() == urls::host_type::ipv6) {
        return boost::asio::ip::make_address_v6(text(url.host_address())).to_string();
    }
    std::string host = url.host();
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    };
    std::ranges::transform(host, host.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (host.empty() || !std::ranges::all_of(host, allowed)) {
        throw std::invalid_argument{"the URL's host is not a host name or an address"};
    }
    return host;
}

Url to_url(const urls::url_view_base& url) {
    Url result;
    if (url.scheme_id() == urls::scheme::https) {
        result.origin.scheme = "https";
    } else if (url.scheme_id() == urls::scheme::http) {
        result.origin.scheme = "http";
    } else {
        throw std::invalid_argument{"the URL does not begin with http:// or https://"};
    }
    if (!url.has_authority()) {
        throw std::invalid_argument{"the URL has no host"};
    }
    if (url.has_userinfo()) {
        throw std::invalid_argument{"the URL holds user information"};
    }
    result.origin.host = host_of(url);
    result.origin.port = default_port(result.origin.scheme);
    if (const std::string port = text(url.port()); !port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.origin.port);
        if (error != std::errc{} || result.origin.port == 0) {
            throw std::invalid_argument{"the URL's port is not between 1 and 65535"};
        }
    }
    result.target = text(url.encoded_path());
    if (result.target.empty()) {
        result.target = "/";
    }
    // Boost.URL 1.81 takes the beginning of 127.0.0.1.example.com for an address, and the rest for a path.
    if (!result.target.starts_with('/')) {
        throw std::invalid_argument{"the URL's host is not a host name or an address"};
    }
    if (url.has_query()) {
        result.target += '?';
        result.target += text(url.encoded_query());
    }
    return result;
}

}  // namespace

bool Origin::loopback() const {
    if (host == "localhost") {
        return true;
    }
    boost::system::error_code not_an_address;
    const auto address = boost::asio::ip::make_address(host, not_an_address);
    return !not_an_address && address.is_loopback();
}

std::string authority(const Origin& origin) {
    const bool ipv6 = origin.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", origin.host, ipv6 ? "]" : "", origin.port);
}

std::string to_string(const Origin& origin) {
    std::string server = authority(origin);
    if (origin.port == default_port(origin.scheme)) {
        server.resize(server.rfind(':'));
    }
    return origin.scheme + "://" + server;
}

Url parse_url(std::string_view text) {
    const auto url = urls::parse_uri(boost::core::string_view{text.data(), text.size()});
    if (!url) {
        throw std::invalid_argument{"not an absolute URL"};
    }
    return to_url(*url);
}

Url resolve(const Url& base, std::string_view location) {
    const std::string base_text = to_string(base.origin) + base.target;
    const auto from = urls::parse_uri(base_text);
    const auto reference = urls::parse_uri_reference(boost::core::string_view{location.data(), location.size()});
    urls::url target;
    if (!from || !reference || !urls::resolve(*from, *reference, target)) {
        throw std::invalid_argument{"not a URL"};
    }
    return to_url(target);
}

std::string encode_component(std::string_view text) {
    return urls::encode(boost::core::string_view{text.data(), text.size()}, urls::unreserved_chars);
}

}  // namespace heiasync::http
