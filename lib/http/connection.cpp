#include "http/connection.hpp"

#include "core/duration.hpp"
#include "http/deadline.hpp"
#include "http/failure.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace heiasync::http {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;
using Kind = TransportError::Kind;
using TlsStream = ssl::stream<tcp::socket>;

constexpr std::size_t buffer_size = std::size_t{64} << 10U;
static_assert(buffer_size > max_header_size);

auto into(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

void throw_if_cancelled(const error_code& error) {
    if (error == asio::error::operation_aborted) {
        throw boost::system::system_error{error};
    }
}

class PlainConnection final : public Connection {
public:
    explicit PlainConnection(tcp::socket socket) : socket_{std::move(socket)} {}

    [[nodiscard]] tcp::socket release() { return std::move(socket_); }

private:
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer, error_code& error) override {
        return socket_.async_read_some(buffer, into(error));
    }
    asio::awaitable<std::size_t> write(asio::const_buffer bytes, error_code& error) override {
        return asio::async_write(socket_, bytes, into(error));
    }

    void close() override {
        error_code ignored;
        socket_.close(ignored);
    }

    tcp::socket socket_;
};

core::Instant end_of_validity(const SSL* handle) {
    std::tm time{};
    ASN1_TIME_to_tm(X509_get0_notAfter(SSL_get0_peer_certificate(handle)), &time);
    return core::Instant{std::chrono::seconds{::timegm(&time)}};
}

class TlsConnection final : public Connection {
public:
    explicit TlsConnection(TlsStream stream) : stream_{std::move(stream)} {}

    [[nodiscard]] std::optional<TlsFacts> tls() override {
        const SSL* const handle = stream_.native_handle();
        return TlsFacts{SSL_get_version(handle), end_of_validity(handle)};
    }

private:
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer, error_code& error) override {
        return stream_.async_read_some(buffer, into(error));
    }
    asio::awaitable<std::size_t> write(asio::const_buffer bytes, error_code& error) override {
        return asio::async_write(stream_, bytes, into(error));
    }

    void close() override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

    TlsStream stream_;
};

asio::awaitable<void> connect_to(tcp::socket& socket, tcp::endpoint endpoint, error_code& error) {
    co_await socket.async_connect(endpoint, into(error));
    throw_if_cancelled(error);
}

asio::awaitable<tcp::socket> connect_to_any(Endpoints endpoints, steady_clock::time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    error_code error = asio::error::host_not_found;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        tcp::socket socket{executor};
        const auto remaining = endpoints.size() - i;
        if (remaining == 1) {
            co_await connect_to(socket, endpoints[i], error);
        } else {
            const auto now = steady_clock::now();
            const auto share = (deadline - now) / static_cast<steady_clock::rep>(remaining);
            if (!co_await within(now + share, connect_to(socket, endpoints[i], error))) {
                error = asio::error::timed_out;
            }
        }
        if (!error) {
            socket.set_option(tcp::no_delay{true}, error);
            co_return std::move(socket);
        }
    }
    throw Failure{Kind::connect, "cannot connect: " + error.message()};
}

}  // namespace

Connection::Connection() : buffer_(buffer_size) {}

asio::awaitable<bool> Connection::exchange(std::string_view request, ResponseReader& reader,
                                           steady_clock::time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const Alarm alarm{executor, deadline, [this] { close(); }};
    error_code error;
    co_await write(asio::buffer(request), error);
    std::size_t held = 0;
    while (!reader.complete()) {
        // Before the error, which is what the alarm made of the operation; where that had just ended, there is none.
        if (alarm.rang()) {
            co_return false;
        }
        if (error) {
            fail(error, reader);
        }
        const std::size_t read = co_await read_some(asio::buffer(buffer_) + held, error);
        if (error == asio::error::eof && (reader.started() || !used_)) {
            reader.end_of_input();
            break;
        }
        held += read;
        const std::size_t consumed = reader.feed({buffer_.data(), held});
        std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(consumed),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(held), buffer_.begin());
        held -= consumed;
        if (held == buffer_.size()) {
            throw Failure{Kind::protocol, "not an HTTP answer: a line without an end"};
        }
    }
    used_ = true;
    // Bytes beyond the answer belong to no request of ours: whatever they are, the next answer must not begin there.
    reusable_ = reader.keep_alive() && held == 0 && !alarm.rang();
    co_return true;
}

void Connection::fail(const error_code& error, const ResponseReader& reader) const {
    throw_if_cancelled(error);
    if (used_ && !reader.started()) {
        throw StaleConnection{Kind::broken, "the connection was closed between two requests"};
    }
    if (error == ssl::error::stream_truncated) {
        throw Failure{Kind::broken, reader.started() ? "the connection was closed in the middle of the answer"
                                                     : "the connection was closed without an answer"};
    }
    throw Failure{Kind::broken, "the connection broke: " + error.message()};
}

struct Connector::Tls {
    ssl::context context{ssl::context::tls_client};
    bool has_system_store = false;
};

/// A connection on its way.
struct Connector::Opening {
    Opening(const Origin& to, const std::optional<Proxy>& through, steady_clock::time_point until)
        : server{to}, proxy{through}, deadline{until} {}

    const Origin& server;
    const std::optional<Proxy>& proxy;
    steady_clock::time_point deadline;
    std::unique_ptr<PlainConnection> plain;
    std::unique_ptr<Connection> done;
};

Connector::Connector(const std::optional<std::filesystem::path>& ca_file, Lookup lookup)
    : tls_{std::make_unique<Tls>()}, lookup_{lookup} {
    ssl::context& context = tls_->context;
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_verify_mode(ssl::verify_peer);
    if (ca_file) {
        error_code error;
        context.load_verify_file(ca_file->string(), error);
        if (error) {
            throw std::runtime_error{fmt::format("ca_file {}: {}", ca_file->string(), error.message())};
        }
    }
}

Connector::~Connector() = default;

asio::awaitable<std::unique_ptr<Connection>> Connector::connect(const Origin& server, const std::optional<Proxy>& proxy,
                                                                std::chrono::milliseconds timeout) {
    Opening opening{server, proxy, steady_clock::now() + timeout};
    if (!co_await within(opening.deadline, open(opening))) {
        const std::string through = proxy ? fmt::format("proxy {}: ", authority(proxy->origin)) : std::string{};
        throw Failure{Kind::connect, fmt::format("{}not connected within {}", through, core::format_duration(timeout))};
    }
    co_return std::move(opening.done);
}

asio::awaitable<void> Connector::open(Opening& opening) {
    const Origin& first = opening.proxy ? opening.proxy->origin : opening.server;
    try {
        Endpoints endpoints = co_await resolve(first.host, first.port, lookup_);
        opening.plain =
            std::make_unique<PlainConnection>(co_await connect_to_any(std::move(endpoints), opening.deadline));
    } catch (const Failure& failure) {
        if (!opening.proxy) {
            throw;
        }
        throw Failure{failure.kind(), fmt::format("proxy {}: {}", authority(first), failure.what())};
    }
    if (!opening.server.tls()) {
        opening.done = std::move(opening.plain);
        co_return;
    }
    if (opening.proxy) {
        co_await open_tunnel(opening);
    }
    co_await open_tls(opening);
}

asio::awaitable<void> Connector::open_tunnel(Opening& opening) {
    const std::string server = authority(opening.server);
    const std::string proxy = authority(opening.proxy->origin);
    std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", server);
    if (!opening.proxy->authorization.empty()) {
        request += fmt::format("Proxy-Authorization: {}\r\n", opening.proxy->authorization.reveal());
    }
    request += "\r\n";
    Inflater inflater;
    core::StringSink nowhere;
    std::uint64_t uncounted = 0;
    ResponseReader reader{ResponseReader::Expect::tunnel, inflater, nowhere, 0, uncounted};
    try {
        co_await opening.plain->exchange(request, reader);
    } catch (const Failure& failure) {
        throw Failure{Kind::proxy, fmt::format("proxy {}: {}", proxy, failure.what())};
    }
    if (const unsigned status = reader.response().status; status / 100 != 2) {
        throw Failure{Kind::proxy, fmt::format("proxy {}: answered {} to CONNECT", proxy, status)};
    }
}

asio::awaitable<void> Connector::open_tls(Opening& opening) {
    error_code error;
    // Here and not before, because reading the system's bundle of certificates takes 20 ms.
    if (!std::exchange(tls_->has_system_store, true)) {
        tls_->context.set_default_verify_paths(error);
    }
    TlsStream stream{opening.plain->release(), tls_->context};
    SSL* const handle = stream.native_handle();
    const std::string& host = opening.server.host;
    X509_VERIFY_PARAM* const verify = SSL_get0_param(handle);
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) != 1) {
        X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(handle, host.c_str()) != 1 || SSL_set_tlsext_host_name(handle, host.c_str()) != 1) {
            throw Failure{Kind::tls, "TLS: the host name cannot be asked for"};
        }
    }
    co_await stream.async_handshake(ssl::stream_base::client, into(error));
    throw_if_cancelled(error);
    if (const long verdict = SSL_get_verify_result(handle); error && verdict != X509_V_OK) {
        throw Failure{Kind::tls,
                      fmt::format("TLS: the certificate is refused: {}", X509_verify_cert_error_string(verdict))};
    }
    if (error.category() == asio::error::get_ssl_category()) {
        throw Failure{Kind::tls, "TLS: no handshake: " + error.message()};
    }
    if (error) {
        throw Failure{Kind::connect, "the connection broke in the TLS handshake: " + error.message()};
    }
    opening.done = std::make_unique<TlsConnection>(std::move(stream));
}

}  // namespace heiasync::http
