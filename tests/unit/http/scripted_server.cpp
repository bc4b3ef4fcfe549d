#include "unit/http/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <charconv>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace heiasync::http::testing {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error{errno, std::generic_category(), what};
}

template <class T>
void set(int socket, int level, int name, const T& value) {
    setsockopt(socket, level, name, &value, sizeof value);
}

std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    std::size_t length = 0;
    if (at != std::string_view::npos) {
        const auto digits = head.substr(at + name.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), length);
    }
    return length;
}

}  // namespace

struct Peer::Session {
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }

    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
};

Peer::Peer(int socket) : socket_{socket} {
    set(socket_, SOL_SOCKET, SO_RCVTIMEO, timeval{10, 0});
    set(socket_, IPPROTO_TCP, TCP_NODELAY, 1);
}

Peer::~Peer() {
    close();
}

bool Peer::start_tls(const Identity& identity, Tls version) {
    tls_ = std::make_unique<Session>();
    tls_->context = SSL_CTX_new(TLS_server_method());
    if (version == Tls::only_1_1) {
        SSL_CTX_set_cipher_list(tls_->context, "DEFAULT:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(tls_->context, TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(tls_->context, TLS1_1_VERSION);
    }
    BIO* const certificate_text = BIO_new_mem_buf(identity.certificate.data(), -1);
    BIO* const key_text = BIO_new_mem_buf(identity.key.data(), -1);
    X509* const certificate = PEM_read_bio_X509(certificate_text, nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(tls_->context, certificate);
    SSL_CTX_use_PrivateKey(tls_->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_text);
    BIO_free(key_text);
    tls_->ssl = SSL_new(tls_->context);
    SSL_set_fd(tls_->ssl, socket_);
    const bool done = SSL_accept(tls_->ssl) == 1;
    ERR_clear_error();
    return done;
}

std::string Peer::server_name() const {
    const char* const name = SSL_get_servername(tls_->ssl, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
}

std::size_t Peer::receive(char* data, std::size_t size) {
    if (tls_) {
        std::size_t received = 0;
        const bool done = SSL_read_ex(tls_->ssl, data, size, &received) == 1;
        ERR_clear_error();
        return done ? received : 0;
    }
    const ssize_t received = recv(socket_, data, size, 0);
    return received > 0 ? static_cast<std::size_t>(received) : 0;
}

std::string Peer::request() {
    std::array<char, 4096> piece{};
    for (;;) {
        if (const auto end = received_.find("\r\n\r\n"); end != std::string::npos) {
            const std::size_t size = end + 4 + content_length(received_.substr(0, end));
            if (received_.size() >= size) {
                std::string whole = received_.substr(0, size);
                received_.erase(0, size);
                return whole;
            }
        }
        const std::size_t size = receive(piece.data(), piece.size());
        if (size == 0) {
            return {};
        }
        received_.append(piece.data(), size);
    }
}

void Peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        std::size_t sent = 0;
        if (tls_) {
            if (SSL_write_ex(tls_->ssl, bytes.data(), bytes.size(), &sent) != 1) {
                ERR_clear_error();
                return;
            }
        } else {
            const ssize_t result = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (result < 0) {
                return;
            }
            sent = static_cast<std::size_t>(result);
        }
        bytes.remove_prefix(sent);
    }
}

void Peer::drip(std::string_view bytes) {
    for (const char& byte : bytes) {
        send({&byte, 1});
        pollfd closed{socket_, POLLIN, 0};
        if (poll(&closed, 1, 5) != 0) {
            return;
        }
    }
}

void Peer::until_closed() {
    std::array<char, 4096> piece{};
    while (recv(socket_, piece.data(), piece.size(), 0) > 0) {
    }
}

void Peer::say_goodbye() {
    SSL_shutdown(tls_->ssl);
}

void Peer::reset() {
    set(socket_, SOL_SOCKET, SO_LINGER, linger{1, 0});
    close();
}

void Peer::close() {
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

ScriptedServer::ScriptedServer(std::vector<Script> scripts, Listen listen)
    : scripts_{std::move(scripts)}, listener_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    static const auto ignored = std::signal(SIGPIPE, SIG_IGN);
    static_cast<void>(ignored);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        fail("bind");
    }
    port_ = ntohs(address.sin_port);
    if (listen == Listen::at_once) {
        this->listen();
    }
}

void ScriptedServer::listen() {
    if (::listen(listener_, 16) != 0) {
        fail("listen");
    }
    thread_ = std::thread{&ScriptedServer::serve, this};
}

ScriptedServer::~ScriptedServer() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        shutdown(listener_, SHUT_RDWR);
        if (current_ >= 0) {
            shutdown(current_, SHUT_RDWR);
        }
    }
    if (thread_.joinable()) {
        thread_.join();
    }
    ::close(listener_);
}

std::string ScriptedServer::url(std::string_view target, std::string_view scheme, std::string_view host) const {
    return fmt::format("{}://{}:{}{}", scheme, host, port_, target);
}

void ScriptedServer::serve() {
    for (std::size_t number = 0;; ++number) {
        const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) {
            return;
        }
        Peer peer{socket};
        {
            const std::scoped_lock lock{mutex_};
            if (stopping_) {
                return;
            }
            current_ = socket;
        }
        ++connections_;
        if (number < scripts_.size()) {
            scripts_[number](peer);
        }
        const std::scoped_lock lock{mutex_};
        current_ = -1;
    }
}

std::string answer(int status, std::string_view body, std::string_view headers) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body);
}

Script answers(std::vector<std::string> texts) {
    return [texts = std::move(texts)](Peer& peer) {
        for (const std::string& text : texts) {
            if (peer.request().empty()) {
                return;
            }
            peer.send(text);
        }
        peer.until_closed();
    };
}

Script records(Requests& requests, std::vector<std::string> texts) {
    return [&requests, texts = std::move(texts)](Peer& peer) {
        for (const std::string& text : texts) {
            requests.add(peer.request());
            peer.send(text);
        }
        peer.until_closed();
    };
}

Script over_tls(Identity identity, Script script) {
    return [identity = std::move(identity), script = std::move(script)](Peer& peer) {
        if (peer.start_tls(identity)) {
            script(peer);
        }
    };
}

}  // namespace heiasync::http::testing
