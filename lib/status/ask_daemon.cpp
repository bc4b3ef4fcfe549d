#include "status/ask_daemon.hpp"

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "http/client.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace heiasync::status {

namespace {

http::ClientSettings settings() {
    http::ClientSettings settings;
    settings.connect_timeout = std::chrono::seconds{1};
    settings.request_timeout = std::chrono::seconds{1};
    settings.max_response_size = std::uint64_t{256} << 10U;
    settings.retry.attempts = 1;
    return settings;
}

http::Url url_of(const std::string& address) {
    http::Url url = http::parse_url("http://" + address + "/api/v1/status");
    boost::system::error_code not_an_address;
    const auto host = boost::asio::ip::make_address(url.origin.host, not_an_address);
    // One that listens everywhere is asked at home.
    if (!not_an_address && host.is_unspecified()) {
        url.origin.host = host.is_v4() ? "127.0.0.1" : "::1";
    }
    return url;
}

}  // namespace

boost::asio::awaitable<std::optional<DaemonReport>> ask_daemon(std::string address) {
    core::SystemClock clock;
    http::Client client{clock, settings()};
    const http::Request request{"GET /api/v1/status", url_of(address)};
    core::StringSink body;
    try {
        const http::Response response = co_await client.send(request, body);
        co_return response.status == 200 ? parse_report(body.text()) : std::nullopt;
    } catch (const http::TransportError&) {
        co_return std::nullopt;
    }
}

}  // namespace heiasync::status
