#include "simulator/raw_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include <optional>

namespace heiasync::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

struct RawClient::State {
    tcp::endpoint server;
    asio::io_context io;
    std::optional<tcp::socket> socket;
    boost::beast::flat_buffer buffer;
    int connections = 0;

    void write(const std::string& request) {
        if (!socket) {
            socket.emplace(io);
            socket->connect(server);
            buffer.clear();
            ++connections;
        }
        asio::write(*socket, asio::buffer(request));
    }

    RawAnswer read() {
        RawAnswer answer;
        http::response_parser<http::string_body> parser;
        parser.eager(true);
        error_code error;
        while (!parser.is_done()) {
            if (buffer.size() > 0) {
                buffer.consume(parser.put(buffer.data(), error));
                if (error && error != http::error::need_more) {
                    break;
                }
                if (parser.is_done()) {
                    break;
                }
            }
            const auto size = socket->read_some(buffer.prepare(65536), error);
            if (error) {
                answer.was_reset = error == asio::error::connection_reset;
                break;
            }
            buffer.commit(size);
        }
        answer.complete = parser.is_done();
        if (parser.is_header_done()) {
            answer.status = parser.get().result_int();
            for (const auto& field : parser.get()) {
                answer.fields.emplace(field.name_string(), field.value());
            }
            answer.body = parser.get().body();
        }
        if (!answer.complete || !parser.get().keep_alive()) {
            socket.reset();
        }
        return answer;
    }
};

RawClient::RawClient(std::uint16_t port) : state_{std::make_unique<State>()} {
    state_->server = tcp::endpoint{asio::ip::address_v4::loopback(), port};
}

RawClient::~RawClient() = default;

void RawClient::send(std::string_view target, const Fields& fields) {
    auto request = fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", target);
    for (const auto& [name, value] : fields) {
        request += fmt::format("{}: {}\r\n", name, value);
    }
    state_->write(request + "\r\n");
}

RawAnswer RawClient::receive() {
    return state_->read();
}

RawAnswer RawClient::get(std::string_view target, const Fields& fields) {
    send(target, fields);
    return receive();
}

RawAnswer RawClient::post(std::string_view target, std::string_view body) {
    state_->write(fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", target,
        body.size(), body));
    return receive();
}

int RawClient::connections() const {
    return state_->connections;
}

std::string tls_handshake_error(std::uint16_t port, const std::string& ca_pem, const std::string& host) {
    asio::io_context io;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    tls.add_certificate_authority(asio::buffer(ca_pem));
    tls.set_verify_mode(asio::ssl::verify_peer);
    asio::ssl::stream<tcp::socket> stream{io, tls};
    stream.set_verify_callback(asio::ssl::host_name_verification{host});
    stream.next_layer().connect(tcp::endpoint{asio::ip::address_v4::loopback(), port});
    error_code error;
    stream.handshake(asio::ssl::stream_base::client, error);
    if (!error) {
        return {};
    }
    const auto result = SSL_get_verify_result(stream.native_handle());
    return result == X509_V_OK ? error.message() : X509_verify_cert_error_string(result);
}

}  // namespace heiasync::simulator
