#pragma once

#include "answers.hpp"
#include "core/instant.hpp"
#include "measure.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace heiasync::bench {

/// A server on 127.0.0.1 that answers from memory, one kept-alive connection after the other, on a core of its own
/// where there is more than one. A page that was not prepared is empty, another path is 404.
class Origin {
public:
    explicit Origin(Answers answers);
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;
    ~Origin();

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

    // While no connection is open:
    void set_date(core::Instant date);
    void set_latency(std::chrono::milliseconds latency) { latency_ = latency; }
    /// The requests since the last call, as they were sent.
    std::vector<std::string> take_requests() { return std::exchange(requests_, {}); }

private:
    void serve(boost::asio::ip::tcp::socket connection);
    [[nodiscard]] const std::string& answer_to(std::string_view request) const;

    Answers answers_;
    std::chrono::milliseconds latency_{0};
    std::vector<std::string> requests_;
    std::atomic<bool> stopping_ = false;
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::thread thread_;
};

/// Sends requests over one connection, one after the other, and drops the answers: on core 0, where the origin is on
/// another. Without `peak_memory`.
Cost bare_loop(const Origin& origin, const std::vector<std::string>& requests);

}  // namespace heiasync::bench
