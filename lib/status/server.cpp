#include "status/server.hpp"

#include "http/failure.hpp"
#include "http/resolver.hpp"
#include "http/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <array>
#include <list>
#include <stdexcept>
#include <utility>

namespace heiasync::status {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t max_header_size = std::size_t{8} << 10U;
constexpr std::size_t max_unread = std::size_t{64} << 10U;
constexpr std::chrono::milliseconds pause_after_failure{100};

auto into(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

/// Null, and why, where that cannot be.
std::shared_ptr<tcp::acceptor> open(const asio::any_io_executor& executor, const http::Endpoints& endpoints,
                                    error_code& error) {
    for (const tcp::endpoint& endpoint : endpoints) {
        try {
            error.clear();
            return std::make_shared<tcp::acceptor>(executor, endpoint);
        } catch (const boost::system::system_error& failure) {
            error = failure.code();
        }
    }
    return nullptr;
}

}  // namespace

/// Lives as long as a coroutine of it does.
struct Server::Impl : std::enable_shared_from_this<Impl> {
    asio::any_io_executor executor;
    Respond respond;
    Limits limits;
    std::optional<std::string> address;
    std::shared_ptr<tcp::acceptor> acceptor;
    std::list<beast::tcp_stream*> connections;  ///< the oldest first

    std::shared_ptr<tcp::acceptor> bind(const std::string& next_address);
    void listen(std::shared_ptr<tcp::acceptor> next);
    void close_oldest();

    static asio::awaitable<void> accept(std::shared_ptr<Impl> self, std::shared_ptr<tcp::acceptor> acceptor);
    static asio::awaitable<void> serve(std::shared_ptr<Impl> self, tcp::socket socket);
};

std::shared_ptr<tcp::acceptor> Server::Impl::bind(const std::string& next_address) {
    const http::Origin origin = http::parse_url("http://" + next_address).origin;
    error_code error;
    try {
        const http::Endpoints endpoints = http::system_lookup(origin.host, origin.port);
        std::shared_ptr<tcp::acceptor> next = open(executor, endpoints, error);
        if (!next && error == asio::error::address_in_use && acceptor &&
            acceptor->local_endpoint().port() == origin.port) {
            // By this server, where one of the two addresses stands for all.
            const tcp::endpoint own = acceptor->local_endpoint();
            listen(nullptr);
            next = open(executor, endpoints, error);
            if (!next) {
                error_code ignored;
                listen(open(executor, {own}, ignored));
            }
        }
        if (next) {
            return next;
        }
    } catch (const http::Failure& failure) {
        throw std::runtime_error{fmt::format("cannot listen on {}: {}", next_address, failure.what())};
    }
    throw std::runtime_error{fmt::format("cannot listen on {}: {}", next_address, error.message())};
}

void Server::Impl::listen(std::shared_ptr<tcp::acceptor> next) {
    if (acceptor) {
        error_code ignored;
        acceptor->close(ignored);
    }
    acceptor = std::move(next);
    if (acceptor) {
        asio::co_spawn(executor, accept(shared_from_this(), acceptor), asio::detached);
    }
}

void Server::Impl::close_oldest() {
    connections.front()->close();
    connections.pop_front();
}

asio::awaitable<void> Server::Impl::accept(std::shared_ptr<Impl> self, std::shared_ptr<tcp::acceptor> acceptor) {
    for (;;) {
        error_code error;
        tcp::socket socket = co_await acceptor->async_accept(into(error));
        if (!acceptor->is_open()) {
            co_return;
        }
        if (error) {
            // Too many descriptors are open: to try again at once would be a loop.
            asio::steady_timer pause{self->executor, pause_after_failure};
            co_await pause.async_wait(into(error));
            continue;
        }
        // What it throws costs one client its answer.
        asio::co_spawn(self->executor, serve(self, std::move(socket)), asio::detached);
    }
}

asio::awaitable<void> Server::Impl::serve(std::shared_ptr<Impl> self, tcp::socket socket) {
    beast::tcp_stream stream{std::move(socket)};
    if (self->connections.size() >= self->limits.connections) {
        self->close_oldest();
    }
    self->connections.push_back(&stream);
    const auto forget = [&self](beast::tcp_stream* closed) { self->connections.remove(closed); };
    const std::unique_ptr<beast::tcp_stream, decltype(forget)> registered{&stream, forget};
    stream.expires_after(self->limits.connection);

    beast::flat_buffer buffer{max_header_size};
    beast::http::request_parser<beast::http::empty_body> parser;
    parser.header_limit(max_header_size);
    parser.body_limit(boost::none);
    error_code error;
    co_await beast::http::async_read_header(stream, buffer, parser, into(error));
    std::string answer;
    if (!error) {
        const auto& request = parser.get();
        answer = to_text(self->respond(view(request.method_string()), view(request.target())),
                         request.method() == beast::http::verb::head);
    } else if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
        answer = to_text(failure(431), false);
    } else if (error != beast::http::error::end_of_stream && error != beast::http::error::partial_message &&
               error.category() == beast::http::make_error_code(beast::http::error::bad_target).category()) {
        answer = to_text(failure(400), false);
    } else {
        co_return;
    }
    co_await asio::async_write(stream, asio::buffer(answer), into(error));
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
    // To close with something unread would take the answer back.
    std::array<char, 1024> rest{};
    for (std::size_t left = max_unread; !error && left >= rest.size(); left -= rest.size()) {
        co_await stream.async_read_some(asio::buffer(rest), into(error));
    }
}

Server::Server(asio::any_io_executor executor, Respond respond, const Limits& limits)
    : impl_{std::make_shared<Impl>()} {
    impl_->executor = std::move(executor);
    impl_->respond = std::move(respond);
    impl_->limits = limits;
}

Server::Server(asio::any_io_executor executor, Respond respond)
    : Server{std::move(executor), std::move(respond), Limits{}} {}

Server::~Server() {
    close();
}

void Server::listen(const std::optional<std::string>& address) {
    if (address == impl_->address) {
        return;
    }
    impl_->listen(address ? impl_->bind(*address) : nullptr);
    impl_->address = address;
}

void Server::close() {
    impl_->listen(nullptr);
    impl_->address.reset();
    while (!impl_->connections.empty()) {
        impl_->close_oldest();
    }
}

}  // namespace heiasync::status
