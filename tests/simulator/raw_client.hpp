#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace heiasync::simulator {

/// What came back, as it came.
struct RawAnswer {
    bool complete = false;  ///< an HTTP message up to its end; else the connection ended before
    bool was_reset = false;
    unsigned status = 0;
    std::map<std::string, std::string> fields;
    std::string body;
};

/// A blocking client that knows as little as possible: it shares no code with the product's. One connection, made anew
/// after the server closed it.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient();

    using Fields = std::map<std::string, std::string>;
    RawAnswer get(std::string_view target, const Fields& fields = {});
    RawAnswer post(std::string_view target, std::string_view body);

    /// Sends a GET and does not wait for the answer.
    void send(std::string_view target, const Fields& fields = {});
    RawAnswer receive();

    /// How many connections were made.
    [[nodiscard]] int connections() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The text of an OpenSSL verification error, or nothing where the handshake succeeded.
std::string tls_handshake_error(std::uint16_t port, const std::string& ca_pem, const std::string& host);

}  // namespace heiasync::simulator
