#pragma once

#include "core/instant.hpp"
#include "http/proxy.hpp"
#include "http/resolver.hpp"
#include "http/response_reader.hpp"
#include "http/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::http {

/// What was agreed on with a server whose certificate was verified.
struct TlsFacts {
    std::string protocol;  ///< `TLSv1.3`
    core::Instant certificate_valid_until{};
};

/// An open connection to a server, TLS or not. Closed when it is destroyed.
class Connection {
public:
    Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    /// Sends the bytes of a request and reads the answer to it. False: the deadline, in real time, came first. Throws
    /// Failure, StaleConnection where this was not the first request and not a byte came back; what the reader's sink
    /// throws; operation_aborted when cancelled. After any of these the connection is good for nothing.
    boost::asio::awaitable<bool> exchange(
        std::string_view request, ResponseReader& reader,
        std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

    /// Whether the server keeps it open for another request.
    [[nodiscard]] bool reusable() const { return reusable_; }

    /// None without TLS.
    [[nodiscard]] virtual std::optional<TlsFacts> tls() { return std::nullopt; }

private:
    virtual boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer buffer,
                                                          boost::system::error_code& error) = 0;
    virtual boost::asio::awaitable<std::size_t> write(boost::asio::const_buffer bytes,
                                                      boost::system::error_code& error) = 0;
    /// Ends what is being read or written, and everything after it: to cancel an operation would leave the next step of
    /// a composed one to go on.
    virtual void close() = 0;

    [[noreturn]] void fail(const boost::system::error_code& error, const ResponseReader& reader) const;

    std::vector<char> buffer_;
    bool used_ = false;
    bool reusable_ = false;
};

/// Opens connections: look-up, connect, proxy and TLS.
class Connector {
public:
    /// Trusts the system's certificates and those of `ca_file`. Throws std::runtime_error where the file cannot be
    /// used.
    explicit Connector(const std::optional<std::filesystem::path>& ca_file, Lookup lookup = system_lookup);
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    ~Connector();

    /// Throws Failure: resolve, connect, proxy or tls. Each address of the server gets an even share of the time that
    /// is left, so that one that does not answer leaves time for the next.
    boost::asio::awaitable<std::unique_ptr<Connection>> connect(const Origin& server, const std::optional<Proxy>& proxy,
                                                                std::chrono::milliseconds timeout);

private:
    struct Tls;
    struct Opening;

    boost::asio::awaitable<void> open(Opening& opening);
    boost::asio::awaitable<void> open_tunnel(Opening& opening);
    boost::asio::awaitable<void> open_tls(Opening& opening);

    std::unique_ptr<Tls> tls_;
    Lookup lookup_;
};

}  // namespace heiasync::http
