#include "notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace heiasync::testing {

NotifySocket::NotifySocket(std::string path)
    : path_{std::move(path)}, descriptor_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-cstyle-cast): the way of sockets
    if (::bind(descriptor_, (const sockaddr*)&address, sizeof(address)) != 0) {
        throw std::system_error{errno, std::generic_category(), path_};
    }
    listener_ = std::thread{[this] { listen(); }};
}

NotifySocket::~NotifySocket() {
    ::shutdown(descriptor_, SHUT_RD);
    listener_.join();
    ::close(descriptor_);
}

void NotifySocket::listen() {
    for (;;) {
        std::array<char, 4096> buffer{};
        const auto length = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (length <= 0) {
            return;
        }
        const std::scoped_lock lock{mutex_};
        all_.emplace_back(buffer.data(), static_cast<std::size_t>(length));
        more_.notify_all();
    }
}

std::string NotifySocket::wait_for(std::string_view beginning) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    std::unique_lock lock{mutex_};
    for (;;) {
        const bool came = more_.wait_until(lock, deadline, [this] { return heard_ < all_.size(); });
        if (!came || std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error{"nobody said " + std::string{beginning}};
        }
        const std::string& message = all_[heard_++];
        if (message.starts_with(beginning)) {
            return message;
        }
    }
}

std::vector<std::string> NotifySocket::heard() const {
    const std::scoped_lock lock{mutex_};
    return {all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(heard_)};
}

}  // namespace heiasync::testing
