#pragma once

#include "unit/http/certificates.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace heiasync::http::testing {

/// The server's end of one connection. Every call blocks, and gives up after ten seconds.
class Peer {
public:
    enum class Tls { any_version, only_1_1 };

    explicit Peer(int socket);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();  ///< closes the connection, without TLS's goodbye

    /// False: the client did not like it.
    bool start_tls(const Identity& identity, Tls version = Tls::any_version);
    [[nodiscard]] std::string server_name() const;  ///< that the client asked for by SNI

    /// Head and body of the next request; empty once the client has closed.
    std::string request();
    void send(std::string_view bytes);
    /// One byte every few milliseconds until the client has had enough.
    void drip(std::string_view bytes);
    void until_closed();
    void say_goodbye();  ///< TLS's close_notify
    void reset();        ///< closes with RST
    void close();

    [[nodiscard]] int socket() const { return socket_; }

private:
    struct Session;
    std::size_t receive(char* data, std::size_t size);

    int socket_;
    std::unique_ptr<Session> tls_;
    std::string received_;
};

using Script = std::function<void(Peer&)>;

/// A server on a loopback port of its own that plays one script for each connection, one connection after the other. A
/// connection beyond the scripts is closed at once.
class ScriptedServer {
public:
    enum class Listen { at_once, later };

    explicit ScriptedServer(std::vector<Script> scripts, Listen listen = Listen::at_once);
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;
    ~ScriptedServer();

    /// Until then a connection is refused.
    void listen();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url(std::string_view target = "/", std::string_view scheme = "http",
                                  std::string_view host = "127.0.0.1") const;
    [[nodiscard]] int connections() const { return connections_; }

private:
    void serve();

    std::vector<Script> scripts_;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::mutex mutex_;
    int current_ = -1;
    bool stopping_ = false;
    std::thread thread_;
};

/// Requests that a server was sent, to be read while it is running.
class Requests {
public:
    void add(std::string request) {
        const std::scoped_lock lock{mutex_};
        all_.push_back(std::move(request));
    }
    [[nodiscard]] std::vector<std::string> all() const {
        const std::scoped_lock lock{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> all_;
};

/// `HTTP/1.1 STATUS` with Content-Length and the headers given, each ending in CRLF.
std::string answer(int status, std::string_view body, std::string_view headers = {});

/// Answers one request after the other, then waits until the client closes.
Script answers(std::vector<std::string> texts);
/// As answers, and keeps what was asked.
Script records(Requests& requests, std::vector<std::string> texts);
Script over_tls(Identity identity, Script script);

}  // namespace heiasync::http::testing
