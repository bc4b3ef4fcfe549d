#include "simulator/connection.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace heiasync::simulator {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

bool is_end(const error_code& error) {
    return error == asio::error::eof || error == asio::error::connection_reset ||
           error == asio::ssl::error::stream_truncated;
}

template <class Stream>
class StreamConnection final : public Connection {
public:
    template <class... Arguments>
    explicit StreamConnection(Arguments&&... arguments) : stream_{std::forward<Arguments>(arguments)...} {
        socket().set_option(tcp::no_delay{true});
    }

    asio::awaitable<void> handshake() override {
        if constexpr (is_tls) {
            co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        }
        co_return;
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer space) override {
        error_code error;
        const auto size = co_await stream_.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
        if (error && !is_end(error)) {
            throw boost::system::system_error{error};
        }
        co_return error ? 0 : size;
    }

    asio::awaitable<void> write(std::string_view bytes) override {
        co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), asio::use_awaitable);
    }

    asio::awaitable<void> close() override {
        error_code ignored;
        if constexpr (is_tls) {
            co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
        }
        socket().shutdown(tcp::socket::shutdown_send, ignored);
        socket().close(ignored);
        co_return;
    }

    void reset() override {
        error_code ignored;
        socket().set_option(asio::socket_base::linger{true, 0}, ignored);
        socket().close(ignored);
    }

private:
    static constexpr bool is_tls = !std::is_same_v<Stream, tcp::socket>;

    tcp::socket& socket() {
        if constexpr (is_tls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    Stream stream_;
};

}  // namespace

std::unique_ptr<Connection> make_connection(tcp::socket socket) {
    return std::make_unique<StreamConnection<tcp::socket>>(std::move(socket));
}

std::unique_ptr<Connection> make_connection(tcp::socket socket, asio::ssl::context& tls) {
    return std::make_unique<StreamConnection<asio::ssl::stream<tcp::socket>>>(std::move(socket), tls);
}

}  // namespace heiasync::simulator
