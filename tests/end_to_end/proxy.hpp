#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace heiasync::testing {

/// A proxy on a loopback port that opens tunnels: CONNECT leads to a port of this machine, whatever it names. With a
/// thread of its own from construction to destruction.
class Proxy {
public:
    /// `status` is what it answers to CONNECT; a tunnel is opened where that is 200, and where it is 0 nothing is ever
    /// answered.
    explicit Proxy(std::uint16_t server_port, unsigned status = 200);
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;
    ~Proxy();

    /// `http://127.0.0.1:PORT`.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const;
    /// The heads of the requests that it saw.
    [[nodiscard]] std::vector<std::string> requests() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace heiasync::testing
