#pragma once

#include "core/bytes.hpp"
#include "http/client.hpp"
#include "support/manual_clock.hpp"
#include "unit/http/scripted_server.hpp"

#include <boost/asio/awaitable.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace heiasync::http::testing {

using heiasync::testing::ManualClock;

inline constexpr core::Instant start_of_test = date::sys_days{date::year{2026} / 7 / 1} + std::chrono::hours{1};

/// Runs a coroutine to its end on a loop of its own, throws what it throws, and fails the test if something is left on
/// the loop. `interrupt` is called on another thread; where it returns true, the coroutine is cancelled then.
void run(boost::asio::awaitable<void> work, const std::function<bool()>& interrupt = {});

struct Report {
    unsigned status = 0;  // 0: none
    std::string error;
    std::optional<std::chrono::milliseconds> retry_in;
    std::uint64_t bytes_received = 0;
    std::optional<core::Instant> server_date;
};

struct Answer {
    Response response;
    std::string body;
};

/// A client with what a test wants to see of it. Deadlines are those of a test that fails: set them shorter where they
/// are to be reached.
class Session : public ::testing::Test {
protected:
    Session();
    ~Session() override;

    /// The client is made at the first call, of `settings` as they are then.
    Client& client();
    Answer send(const Request& request, std::optional<int> attempts = std::nullopt);
    Answer get(const std::string& url, std::optional<int> attempts = std::nullopt);
    /// The error of a request that has no answer.
    TransportError failing(const std::string& url, std::optional<int> attempts = std::nullopt);
    /// Sends from within a loop until `interrupt` returns, then cancels. True: it ended with operation_aborted.
    bool cancelled(const std::string& url, const std::function<bool()>& interrupt);

    ClientSettings settings;
    ManualClock clock{start_of_test};
    std::vector<Report> reports;

private:
    struct Loop;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<Client> client_;
};

Request request_for(const std::string& url);

}  // namespace heiasync::http::testing
