#pragma once

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"
#include "http/retry.hpp"
#include "http/url.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::http {

/// No answer was had. The text names the operation (the request's route template), the server and what failed; it shows
/// no URL, no header and no byte of a body.
class TransportError : public std::runtime_error {
public:
    enum class Kind {
        resolve,    ///< the name is not known
        connect,    ///< refused, unreachable, or not within connect_timeout
        tls,        ///< the certificate or the handshake: repeating it does not help
        proxy,      ///< the proxy refused the tunnel
        timeout,    ///< not answered within request_timeout
        broken,     ///< closed or reset, or cut short
        protocol,   ///< not HTTP, or a broken coding
        too_large,  ///< the body is beyond max_response_size
        redirect    ///< too many, to nowhere, from https to http, or of a POST
    };

    TransportError(Kind kind, const std::string& what, int attempts);

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] int attempts() const { return attempts_; }  ///< how often the request was tried
    /// Whether the same request may succeed a moment later: all but tls, too_large and redirect.
    [[nodiscard]] bool retriable() const;

private:
    Kind kind_;
    int attempts_;
};

/// One call. Method, target, header names and values and the token are checked before anything is sent: characters
/// that could end a line of the request are a std::invalid_argument.
struct Request {
    Request(std::string route_template, Url to) : route{std::move(route_template)}, url{std::move(to)} {}

    std::string method = "GET";  ///< or `POST`
    /// The operation as logs and errors name it, ids and query left out: `GET
    /// /admin/v1/documents/organisations/{id}/stats`.
    std::string route;
    Url url;
    std::optional<core::Secret> bearer;  ///< for `Authorization`; never sent to another origin
    /// Sent beside those that the client writes itself (Host, User-Agent, Accept, Accept-Encoding, Content-*, ...), and
    /// to other origins too: nothing secret belongs here.
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<core::Secret> body;  ///< sent as application/json
};

struct Response {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string failure_body;                                  ///< of an answer that is not 2xx, cut to 64 KiB
    std::uint64_t body_size = 0;                               ///< of a 2xx answer, after content decoding
    core::Instant received_at{};                               ///< when the last byte arrived, by the clock given
    int attempts = 1;                                          ///< how often the request was tried; 0: see `deferred`
    /// Retry-After asked for more than max_delay. While that lasts, further requests to the same origin come back at
    /// once, deferred, with the status of the answer that asked for patience and without being sent.
    bool deferred = false;

    /// The value of the first header of that name (lower case), or none.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
    /// The server's clock when it answered: the `Date` header; none where `Age` says that a cache answered.
    [[nodiscard]] std::optional<core::Instant> server_date() const;
};

/// What happened to one attempt, for logs, metrics and the progress line.
struct AttemptReport {
    std::string_view route;
    int requests = 1;                ///< sent in it: one, and one more for each redirect followed
    std::optional<unsigned> status;  ///< unset: a transport error
    std::string_view error;          ///< of the transport error
    std::chrono::microseconds duration{0};
    std::uint64_t bytes_received = 0;                   ///< on the wire, bodies only
    std::optional<std::chrono::milliseconds> retry_in;  ///< set: another attempt follows after that
    std::optional<core::Instant> server_date;           ///< the `Date` header of an answer without `Age`
};

struct ClientSettings {
    std::chrono::milliseconds connect_timeout{10'000};  ///< name look-up, connect, proxy and TLS together
    std::chrono::milliseconds request_timeout{60'000};  ///< from the first byte sent to the last byte received
    std::chrono::milliseconds min_request_interval{
        0};                                           ///< between the starts of two requests, redirected ones included
    std::uint64_t max_response_size = 200ULL << 20U;  ///< of a 2xx body, on the wire and decoded
    RetryPolicy retry;
    std::optional<std::filesystem::path> ca_file;  ///< trusted beside the system's certificates
    std::optional<std::string> proxy;  ///< `http://[user:password@]host:port`; unset: https_proxy and no_proxy decide
    std::string user_agent = "heiasyncd";
    std::function<void(const AttemptReport&)> on_attempt;  ///< may be empty
    /// Told how long what is sent now may take, deadlines included; unset: it has ended. May be empty.
    std::function<void(std::optional<std::chrono::milliseconds>)> on_exchange;
};

/// An HTTP client that sends one request at a time over one connection, which it keeps open and replaces when it went
/// stale. TLS 1.2 or newer; certificate and host name are verified, always. Takes gzip. Not for concurrent use: the
/// vendor asks for none.
///
/// Redirects of a GET are followed (see redirect.hpp); another origin is asked over a connection of its own, and sees
/// no authorisation header, nor does the first origin once the way led elsewhere. Retry-After of a 429 or a 5xx holds
/// every request to that origin until then.
class Client {
public:
    /// `clock` gives the time of answers and waits between attempts; deadlines are in real time, always. Throws
    /// std::runtime_error where ca_file cannot be used, std::invalid_argument where the proxy or the user agent cannot.
    Client(core::Clock& clock, ClientSettings settings);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// Sends the request and repeats it as the policy says. The bytes of a 2xx body go to `body`, which is restarted
    /// before each attempt. Every status is an answer, returned once it will not be retried; throws TransportError
    /// where there is none, and what `body` throws. Ends with operation_aborted when cancelled. `attempts` overrides
    /// the policy's. `request` and `body` must live until the end of the call.
    boost::asio::awaitable<Response> send(const Request& request, core::ByteSink& body,
                                          std::optional<int> attempts = std::nullopt);

    /// For how long yet the origin asks for patience (Retry-After); 0 where it does not.
    [[nodiscard]] std::chrono::milliseconds held_for(const Origin& origin) const;
    /// Waits for that.
    boost::asio::awaitable<void> wait_out_hold(Origin origin);

    /// Closes the connection. The next request opens a new one.
    void close() noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heiasync::http
