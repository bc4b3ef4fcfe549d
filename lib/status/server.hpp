#pragma once

#include "status/respond.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace heiasync::status {

/// An HTTP server for those who watch. Each connection is good for one request. Clients that are slow, many or hostile
/// cost it little: beyond the limits a connection is closed, the oldest first. All members are called on the loop's
/// thread.
class Server {
public:
    using Respond = std::function<Response(std::string_view method, std::string_view target)>;

    struct Limits {
        std::size_t connections = 16;
        std::chrono::milliseconds connection{5'000};  ///< from its begin to its end
    };

    /// Listens to nothing yet.
    Server(boost::asio::any_io_executor executor, Respond respond, const Limits& limits);
    Server(boost::asio::any_io_executor executor, Respond respond);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// From now on listens at `host:port`, and nowhere else; unset: nowhere at all. Blocks while a name is looked up.
    /// Throws std::runtime_error, which names the address, and goes on as before.
    void listen(const std::optional<std::string>& address);

    /// Ends everything, so that nothing of it is left on the loop.
    void close();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace heiasync::status
