#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string_view>

namespace heiasync::simulator {

/// One client's connection, with or without TLS. What fails throws boost::system::system_error.
class Connection {
public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    virtual boost::asio::awaitable<void> handshake() = 0;
    /// 0 once the client has closed.
    virtual boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer space) = 0;
    /// All of it; `bytes` must live until then.
    virtual boost::asio::awaitable<void> write(std::string_view bytes) = 0;
    /// In good order: what was written arrives.
    virtual boost::asio::awaitable<void> close() = 0;
    /// With a TCP reset.
    virtual void reset() = 0;
};

std::unique_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket);
/// The context must outlive the connection.
std::unique_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls);

}  // namespace heiasync::simulator
