#include "database_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace heiasync::testing {

namespace {

namespace fs = std::filesystem;

constexpr const char* socket_name = ".s.PGSQL.5432";
constexpr std::string_view commit_message{
    "Q\0\0\0\x0b"
    "COMMIT\0",
    12};
constexpr char copy_in_response = 'G';
constexpr std::string_view host_key = "host=";

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
    return address;
}

int open_socket() {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        throw std::system_error{errno, std::generic_category(), "socket"};
    }
    return descriptor;
}

template <class Function>
void with_address(const std::string& path, const char* what, Function function) {
    const sockaddr_un address = address_of(path);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the socket calls take
    if (function(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(sizeof(address))) != 0) {
        throw std::system_error{errno, std::generic_category(), what};
    }
}

/// False at the end.
bool receive(int from, std::string& bytes) {
    bytes.resize(1U << 16U);
    const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return size > 0;
}

bool send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

fs::path make_directory() {
    std::string path = (fs::temp_directory_path() / "heiasync-proxy-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    return path;
}

}  // namespace

struct DatabaseProxy::Link {
    int program = -1;
    int server = -1;
    bool awaits_rows = false;  ///< the server does
    std::thread thread;

    void close_both() const {
        ::shutdown(program, SHUT_RDWR);
        ::shutdown(server, SHUT_RDWR);
    }
};

DatabaseProxy::DatabaseProxy(const std::string& url, Plan plan)
    : plan_{std::move(plan)}, directory_{make_directory()}, url_{url} {
    const auto begin = url.find(host_key) + host_key.size();
    const auto length = url.find('&', begin) - begin;
    server_socket_ = (fs::path{url.substr(begin, length)} / socket_name).string();
    url_.replace(begin, length, directory_.string());
    listener_ = open_socket();
    with_address((directory_ / socket_name).string(), "bind",
                 [this](auto... address) { return ::bind(listener_, address...); });
    if (::listen(listener_, SOMAXCONN) != 0) {
        throw std::system_error{errno, std::generic_category(), "listen"};
    }
    accepting_ = std::thread{[this] { accept(); }};
}

DatabaseProxy::~DatabaseProxy() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    for (Link& link : links_) {
        link.close_both();
        link.thread.join();
        ::close(link.program);
        ::close(link.server);
    }
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

std::size_t DatabaseProxy::commits() const {
    const std::scoped_lock lock{mutex_};
    return commits_;
}

void DatabaseProxy::accept() {
    for (int program = -1; (program = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        ++connections_;
        Link& link = links_.emplace_back();
        link.program = program;
        link.server = open_socket();
        try {
            with_address(server_socket_, "connect",
                         [&link](auto... address) { return ::connect(link.server, address...); });
        } catch (const std::system_error&) {
            ::close(link.program);
            ::close(link.server);
            links_.pop_back();
            continue;
        }
        link.thread = std::thread{[this, &link] { carry(link); }};
    }
}

void DatabaseProxy::carry(Link& link) {
    std::string answer;
    for (bool open = true; open;) {
        std::array<pollfd, 2> ready{pollfd{link.program, POLLIN, 0}, pollfd{link.server, POLLIN, 0}};
        open = ::poll(ready.data(), ready.size(), -1) > 0;
        if (open && ready[1].revents != 0) {
            open = receive(link.server, answer);
            link.awaits_rows = open && answer.front() == copy_in_response;
            open = open && send_all(link.program, answer);
        }
        if (open && ready[0].revents != 0) {
            open = carry_request(link);
        }
    }
    link.close_both();
}

bool DatabaseProxy::carry_request(Link& link) {
    std::string request;
    if (!receive(link.program, request)) {
        return false;
    }
    if (std::exchange(link.awaits_rows, false)) {
        plan_.at_rows();
    }
    Commit fate = Commit::pass;
    if (request.find(commit_message) != std::string::npos) {
        const std::scoped_lock lock{mutex_};
        fate = plan_.decide(++commits_);
    }
    if (fate != Commit::lost && !send_all(link.server, request)) {
        return false;
    }
    if (fate == Commit::unanswered) {
        std::string answer;
        receive(link.server, answer);
    }
    if (fate != Commit::pass) {
        plan_.then();
    }
    return fate == Commit::pass;
}

}  // namespace heiasync::testing
