#include "http/proxy.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/evp.h>

#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <vector>

namespace heiasync::http {
namespace {

namespace asio = boost::asio;
namespace urls = boost::urls;

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

std::string base64(const std::string& text) {
    std::string result(4 * ((text.size() + 2) / 3) + 1, '\0');
    const std::vector<unsigned char> bytes{text.begin(), text.end()};
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()), bytes.data(), static_cast<int>(bytes.size()));
    result.resize(static_cast<std::size_t>(length));
    return result;
}

bool in_range(const std::string& host, const std::string& range) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) {
        return false;
    }
    if (address.is_v4()) {
        const auto network = asio::ip::make_network_v4(range, error);
        return !error &&
               asio::ip::make_network_v4(address.to_v4(), network.prefix_length()).canonical() == network.canonical();
    }
    const auto network = asio::ip::make_network_v6(range, error);
    return !error &&
           asio::ip::make_network_v6(address.to_v6(), network.prefix_length()).canonical() == network.canonical();
}

bool matches(const Origin& server, std::string pattern) {
    if (pattern == "*") {
        return true;
    }
    if (pattern.find('/') != std::string::npos) {
        return in_range(server.host, pattern);
    }
    if (pattern.starts_with('[')) {
        const auto end = pattern.find(']');
        if (end == std::string::npos) {
            return false;
        }
        const std::string port = pattern.substr(end + 1);
        return server.host == pattern.substr(1, end - 1) && (port.empty() || port == ":" + std::to_string(server.port));
    }
    const auto colon = pattern.find(':');
    if (colon != std::string::npos && colon == pattern.rfind(':')) {
        if (pattern.substr(colon + 1) != std::to_string(server.port)) {
            return false;
        }
        pattern.resize(colon);
    }
    if (pattern.starts_with('.')) {
        pattern.erase(0, 1);
    }
    return !pattern.empty() && (server.host == pattern || server.host.ends_with("." + pattern));
}

bool named(const Origin& server, std::string_view no_proxy) {
    while (!no_proxy.empty()) {
        const auto end = no_proxy.find_first_of(", \t");
        if (end != 0 && matches(server, lower(no_proxy.substr(0, end)))) {
            return true;
        }
        no_proxy.remove_prefix(end == std::string_view::npos ? no_proxy.size() : end + 1);
    }
    return false;
}

std::string variable(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            return value;
        }
    }
    return {};
}

}  // namespace

Proxy parse_proxy(std::string_view text) {
    const std::string url_text =
        text.find("://") == std::string_view::npos ? "http://" + std::string{text} : std::string{text};
    const auto url = urls::parse_uri(url_text);
    if (!url || url->scheme_id() != urls::scheme::http || url->host().empty()) {
        throw std::invalid_argument{"a proxy is written http://host:port"};
    }
    Proxy proxy;
    if (url->has_userinfo()) {
        proxy.authorization = core::Secret{"Basic " + base64(url->user() + ":" + url->password())};
    }
    const auto host_and_port = url->encoded_host_and_port();
    proxy.origin = parse_url("http://" + std::string{host_and_port.data(), host_and_port.size()}).origin;
    return proxy;
}

ProxyEnvironment proxy_environment() {
    return {variable({"https_proxy", "HTTPS_PROXY"}), variable({"http_proxy"}), variable({"no_proxy", "NO_PROXY"})};
}

std::optional<Proxy> decide_proxy(const Origin& server, const std::optional<std::string>& setting,
                                  const ProxyEnvironment& environment) {
    if (server.loopback()) {
        return std::nullopt;
    }
    if (setting) {
        return parse_proxy(*setting);
    }
    const std::string& proxy = server.tls() ? environment.https_proxy : environment.http_proxy;
    if (proxy.empty() || named(server, environment.no_proxy)) {
        return std::nullopt;
    }
    return parse_proxy(proxy);
}

}  // namespace heiasync::http
