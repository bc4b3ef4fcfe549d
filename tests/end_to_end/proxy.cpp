#include "proxy.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <mutex>
#include <thread>

namespace heiasync::testing {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = std::shared_ptr<tcp::socket>;

constexpr std::size_t largest_head = 16U << 10U;

/// Until either side has had enough; then the other is told.
asio::awaitable<void> relay(Socket from, Socket to) {
    std::array<char, 16U << 10U> buffer{};
    error_code error;
    while (!error) {
        const auto size =
            co_await from->async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        co_await asio::async_write(*to, asio::buffer(buffer.data(), size),
                                   asio::redirect_error(asio::use_awaitable, error));
    }
    to->shutdown(tcp::socket::shutdown_send, error);
}

}  // namespace

struct Proxy::State {
    State(std::uint16_t to, unsigned answer)
        : server{asio::ip::address_v4::loopback(), to},
          status{answer},
          acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
        asio::co_spawn(io, accept(), asio::detached);
        thread = std::thread{[this] { io.run(); }};
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        io.stop();
        thread.join();
    }

    asio::awaitable<void> accept() {
        while (true) {
            auto client = std::make_shared<tcp::socket>(io);
            co_await acceptor.async_accept(*client, asio::use_awaitable);
            asio::co_spawn(io, serve(std::move(client)), asio::detached);
        }
    }

    /// Ends with the connection where anything fails: there is nobody to tell.
    asio::awaitable<void> serve(Socket client) {
        std::string head;
        auto buffer = asio::dynamic_buffer(head, largest_head);
        co_await asio::async_read_until(*client, buffer, "\r\n\r\n", asio::use_awaitable);
        {
            const std::scoped_lock lock{mutex};
            requests.push_back(head);
        }
        if (status == 0) {
            co_await client->async_wait(tcp::socket::wait_read, asio::use_awaitable);  // until it closes
            co_return;
        }
        const auto answer =
            fmt::format("HTTP/1.1 {} As told\r\n{}\r\n", status, status == 200 ? "" : "Content-Length: 0\r\n");
        co_await asio::async_write(*client, asio::buffer(answer), asio::use_awaitable);
        if (status == 200) {
            auto upstream = std::make_shared<tcp::socket>(io);
            co_await upstream->async_connect(server, asio::use_awaitable);
            asio::co_spawn(io, relay(client, upstream), asio::detached);
            co_await relay(upstream, client);
        }
    }

    const tcp::endpoint server;
    const unsigned status;
    std::mutex mutex;
    std::vector<std::string> requests;
    asio::io_context io{1};
    tcp::acceptor acceptor;
    std::thread thread;
};

Proxy::Proxy(std::uint16_t server_port, unsigned status) : state_{std::make_unique<State>(server_port, status)} {}

Proxy::~Proxy() = default;

std::uint16_t Proxy::port() const {
    return state_->acceptor.local_endpoint().port();
}

std::string Proxy::url() const {
    return fmt::format("http://127.0.0.1:{}", port());
}

std::vector<std::string> Proxy::requests() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->requests;
}

}  // namespace heiasync::testing
