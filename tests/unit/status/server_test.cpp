#include "status/server.hpp"

#include "calendar/calendar.hpp"
#include "status/ask_daemon.hpp"
#include "status/pages.hpp"
#include "support/run_awaitable.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace heiasync::status {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using namespace std::chrono_literals;

/// A port of the loopback address that was free a moment ago.
unsigned short free_port() {
    asio::io_context loop;
    return tcp::acceptor{loop, {asio::ip::address_v4::loopback(), 0}}.local_endpoint().port();
}

/// A connection of a client, which waits for ten seconds at most.
class Client {
public:
    explicit Client(unsigned short port) : socket_{loop_} {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        const timeval limit{10, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }

    void send(std::string_view text) {
        boost::system::error_code ignored;
        asio::write(socket_, asio::buffer(text), ignored);
    }
    /// What comes until the server closes.
    std::string receive() {
        std::string text;
        boost::system::error_code error;
        asio::read(socket_, asio::dynamic_buffer(text), error);
        EXPECT_NE(error, asio::error::would_block) << "the server did not close the connection";
        return text;
    }
    std::string ask(std::string_view text) {
        send(text);
        return receive();
    }

private:
    asio::io_context loop_;
    tcp::socket socket_;
};

const service::State nothing_known;

constexpr const char* get_status = "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n";

class ServerTest : public ::testing::Test {
protected:
    ~ServerTest() override {
        if (server) {
            on_loop([this] { server->close(); });
        }
        work.reset();
        thread.join();
    }

    void start(const Server::Limits& limits) {
        on_loop([&] {
            server = std::make_unique<Server>(loop.get_executor(), respond_to, limits);
            server->listen(address());
        });
    }

    /// Rethrows what the function throws on the loop's thread.
    template <class Function>
    void on_loop(Function function) {
        std::packaged_task<void()> task{std::move(function)};
        auto done = task.get_future();
        asio::post(loop, [&task] { task(); });
        done.get();
    }

    [[nodiscard]] std::string address() const { return fmt::format("127.0.0.1:{}", port); }

    /// The message of what the listening throws.
    std::string refusal(const std::string& other_address) {
        try {
            on_loop([&] { server->listen(other_address); });
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
    }

    static DaemonReport report() {
        return report_of(nothing_known, "1.2.3", core::Instant{}, calendar::find_zone("UTC"));
    }

    static Response respond_to_status(std::string_view method, std::string_view target) {
        static const std::vector<Page> pages{{"/api/v1/status", [] { return status_page(report()); }}};
        return respond(method, target, pages);
    }

    unsigned short port = free_port();
    Server::Respond respond_to = respond_to_status;
    asio::io_context loop;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{loop.get_executor()};
    std::unique_ptr<Server> server;  ///< of the loop's thread
    std::thread thread{[this] { loop.run(); }};
};

TEST_F(ServerTest, AnswersARequestAndCloses) {
    start({});
    EXPECT_EQ(Client{port}.ask(get_status), to_text(respond_to_status("GET", "/api/v1/status"), false));
    EXPECT_EQ(Client{port}.ask("HEAD /api/v1/status HTTP/1.0\r\n\r\n"),
              to_text(respond_to_status("GET", "/api/v1/status"), true));
    EXPECT_THAT(Client{port}.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ServerTest, AnswersARequestThatComesInPieces) {
    start({});
    Client client{port};
    for (const char* piece = get_status; *piece != '\0'; ++piece) {
        client.send({piece, 1});
    }
    EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AnswersWhoeverSendsABodyAsWell) {
    start({});
    const std::string body(50'000, 'x');
    EXPECT_THAT(Client{port}.ask("POST /api/v1/status HTTP/1.1\r\nContent-Length: 50000\r\n\r\n" + body),
                StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(Client{port}.ask("POST /api/v1/status HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
                StartsWith("HTTP/1.1 405 "));
}

TEST_F(ServerTest, SaysWhatIsWrongWithARequest) {
    start({});
    for (const auto* garbage : {"\r\n\r\n\r\n", "GET\r\n\r\n", "GET /api/v1/status\r\n\r\n", "\x16\x03\x01\x02\n\n",
                                "GET /api/v1/status HTTP/2.0\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n",
                                "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
        EXPECT_THAT(Client{port}.ask(garbage), StartsWith("HTTP/1.1 400 ")) << garbage;
    }
    EXPECT_THAT(Client{port}.ask("GET / HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(Client{port}.ask("GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, GivesASlowClientUpAndAStuckReaderToo) {
    Server::Limits limits;
    limits.connection = 50ms;
    respond_to = [](std::string_view /*method*/, std::string_view /*target*/) {
        Response response;
        response.body.assign(20'000'000, 'x');
        return response;
    };
    start(limits);
    EXPECT_THAT(Client{port}.receive(), IsEmpty());
    EXPECT_THAT(Client{port}.ask("GET /api/v1/sta"), IsEmpty());
    Client stuck{port};
    stuck.send(get_status);
    EXPECT_THAT(Client{port}.ask("GET /"), IsEmpty()) << "by then, the other's time is up as well";
    EXPECT_LT(stuck.receive().size(), 20'000'000U);
}

TEST_F(ServerTest, ClosesTheOldestWhereThereAreTooMany) {
    Server::Limits limits;
    limits.connections = 3;
    limits.connection = 1h;
    start(limits);
    std::vector<std::unique_ptr<Client>> idle;
    for (int number = 0; number < 20; ++number) {
        idle.push_back(std::make_unique<Client>(port));
        idle.back()->send("GET ");
    }
    EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 "));
    for (int number = 0; number < 18; ++number) {
        EXPECT_THAT(idle[static_cast<std::size_t>(number)]->receive(), IsEmpty());
    }
    idle[19]->send("/api/v1/status HTTP/1.1\r\n\r\n");
    EXPECT_THAT(idle[19]->receive(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, CloseLeavesNothingOnTheLoop) {
    Server::Limits limits;
    limits.connection = 1h;
    start(limits);
    Client idle{port};
    EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 ")) << "the idle one was accepted before";
    on_loop([this] { server->close(); });
    work.reset();
    thread.join();
    EXPECT_THAT(idle.receive(), IsEmpty());
    EXPECT_THROW(Client{port}, boost::system::system_error);
    thread = std::thread{[] {}};
    server.reset();
}

TEST_F(ServerTest, ListensElsewhereWhenItIsToldSo) {
    start({});
    const unsigned short before = std::exchange(port, free_port());
    on_loop([this] { server->listen(address()); });
    EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_THROW(Client{before}, boost::system::system_error);
    on_loop([this] { server->listen(std::nullopt); });
    EXPECT_THROW(Client{port}, boost::system::system_error);
    on_loop([this] { server->listen(address()); });
    EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, MovesBetweenOneAddressAndAllOnTheSamePort) {
    start({});
    for (const auto* host : {"0.0.0.0", "127.0.0.1", "0.0.0.0"}) {
        on_loop([&] { server->listen(fmt::format("{}:{}", host, port)); });
        EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 ")) << host;
    }
}

TEST_F(ServerTest, NamesAnAddressThatItCannotUseAndGoesOnAsBefore) {
    start({});
    const tcp::acceptor taken{loop, {asio::ip::address_v4::loopback(), 0}};
    const auto in_use = fmt::format("127.0.0.1:{}", taken.local_endpoint().port());
    EXPECT_EQ(refusal(in_use), "cannot listen on " + in_use + ": Address already in use");
    EXPECT_THAT(refusal("192.0.2.1:9464"), StartsWith("cannot listen on 192.0.2.1:9464: "));
    EXPECT_THAT(refusal(fmt::format("192.0.2.1:{}", port)), HasSubstr("cannot listen on 192.0.2.1:"));
    EXPECT_THAT(refusal("nobody.invalid:9464"), StartsWith("cannot listen on nobody.invalid:9464: name not found"));
    EXPECT_THAT(Client{port}.ask(get_status), StartsWith("HTTP/1.1 200 "));
}

std::optional<DaemonReport> ask(const std::string& address) {
    asio::io_context loop;
    return heiasync::testing::run(loop, ask_daemon(address));
}

TEST_F(ServerTest, ADaemonAnswersWhoAsksIt) {
    start({});
    for (const auto& host : {"127.0.0.1", "localhost"}) {
        const auto answer = ask(fmt::format("{}:{}", host, port));
        ASSERT_TRUE(answer) << host;
        EXPECT_EQ(answer->version, "1.2.3");
    }
    on_loop([this] { server->listen(fmt::format("0.0.0.0:{}", port)); });
    EXPECT_TRUE(ask(fmt::format("0.0.0.0:{}", port)));
}

TEST_F(ServerTest, WhateverElseAnswersIsNoDaemon) {
    EXPECT_FALSE(ask(address())) << "nobody listens";
    Response answer;
    respond_to = [&answer](std::string_view /*method*/, std::string_view /*target*/) { return answer; };
    start({});
    for (const auto& body : {std::string{"<html>"}, std::string{"{}"}, std::string(300'000, ' ')}) {
        answer.body = body;
        EXPECT_FALSE(ask(address()));
    }
    answer.body = to_json(report());
    EXPECT_TRUE(ask(address()));
    answer.status = 500;
    EXPECT_FALSE(ask(address()));
}

}  // namespace
}  // namespace heiasync::status
