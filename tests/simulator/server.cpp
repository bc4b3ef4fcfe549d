#include "simulator/connection.hpp"
#include "simulator/encoding.hpp"
#include "simulator/protocol.hpp"
#include "simulator/simulator.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <thread>
#include <utility>

namespace heiasync::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint64_t request_body_limit = 1U << 20U;
constexpr std::size_t read_size = 16U << 10U;

/// Nothing once the client has closed. Throws system_error where what came is no HTTP.
asio::awaitable<std::optional<HttpRequest>> read_request(Connection& connection, boost::beast::flat_buffer& buffer) {
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(request_body_limit);
    while (true) {
        if (buffer.size() > 0) {
            boost::system::error_code error;
            buffer.consume(parser.put(buffer.data(), error));
            if (error && error != http::error::need_more) {
                throw boost::system::system_error{error};
            }
            if (parser.is_done()) {
                co_return parser.release();
            }
        }
        const auto size = co_await connection.read_some(buffer.prepare(read_size));
        if (size == 0) {
            co_return std::nullopt;
        }
        buffer.commit(size);
    }
}

/// Counts a request for as long as it lives or until it is ended: one that a fault keeps waiting, and that the client
/// may have given up, is not held against the next.
class InFlight {
public:
    explicit InFlight(std::size_t& count) : count_{&count} { ++*count_; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { end(); }

    void end() {
        if (count_ != nullptr) {
            --*std::exchange(count_, nullptr);
        }
    }

private:
    std::size_t* count_;
};

}  // namespace

struct Simulator::Server {
    explicit Server(Options given)
        : options{std::move(given)},
          world{options.seed, options.organisations},
          protocol{options, world, faults, observations},
          acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), options.port}} {
        port = acceptor.local_endpoint().port();
        if (options.tls) {
            auto identity = make_identity(*options.tls, options.tls_host);
            tls.use_certificate_chain(asio::buffer(identity.certificate_pem));
            tls.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
            ca_pem = std::move(identity.ca_pem);
            if (options.only_tls_1_1) {
                SSL_CTX_set_max_proto_version(tls.native_handle(), TLS1_1_VERSION);
                SSL_CTX_set_cipher_list(tls.native_handle(), "DEFAULT@SECLEVEL=0");  // which such an old one needs
            }
        }
        asio::co_spawn(io, accept(), asio::detached);
        thread = std::thread{[this] { io.run(); }};
    }

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    ~Server() {
        io.stop();
        thread.join();
    }

    asio::awaitable<void> accept() {
        while (true) {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            auto connection =
                options.tls ? make_connection(std::move(socket), tls) : make_connection(std::move(socket));
            // A connection that fails is the client's to notice: there is nobody else to tell.
            asio::co_spawn(io, serve(std::move(connection)), asio::detached);
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
        co_await connection->handshake();
        boost::beast::flat_buffer buffer;
        for (unsigned answers = 0; answers != options.connection_requests; ++answers) {
            const auto request = co_await read_request(*connection, buffer);
            if (!request) {
                break;
            }
            const bool goes_on = co_await exchange(*connection, *request);
            if (!goes_on) {
                co_return;
            }
        }
        co_await connection->close();
    }

    /// Whether the connection can take another request; where not, it is closed.
    asio::awaitable<bool> exchange(Connection& connection, const HttpRequest& request) {
        if (request.target() == "/simulator/summary") {
            Answer answer;
            answer.body = observations.summary();
            answer.at = date::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
            const auto summary = encode(answer, request, options);
            co_await connection.write(summary.head);
            co_await connection.write(summary.body);
            co_return request.keep_alive();
        }
        InFlight flight{in_flight};
        const auto answer = protocol.answer(request, in_flight);
        co_await wait(options.latency);

        auto encoded = encode(answer, request, options);
        const std::string_view body{encoded.body};
        const std::string_view half = body.substr(0, body.size() / 2);
        // Noted before it is sent: whoever has the answer may look at once.
        if (!answer.fault || answer.suffers(Fault::Kind::delay) || answer.suffers(Fault::Kind::headers)) {
            observations.sent(body.size());
            if (answer.report) {
                observations.downloaded(answer.report->id, answer.report->generation, vendor_date(answer.at));
            }
        }
        switch (answer.fault ? answer.fault->kind : Fault::Kind::headers) {
            case Fault::Kind::drop:
                co_await connection.close();
                co_return false;
            case Fault::Kind::garbage:
                co_await connection.write("\x16\x03\x01 this is no HTTP\r\n\r\n");
                co_await connection.close();
                co_return false;
            case Fault::Kind::hang:
                flight.end();
                co_await until_closed(connection);
                co_return false;
            case Fault::Kind::reset:
                co_await connection.write(encoded.head);
                co_await connection.write(half);
                connection.reset();
                co_return false;
            case Fault::Kind::truncate:
                co_await connection.write(encoded.head);
                co_await connection.write(half);
                co_await connection.close();
                co_return false;
            case Fault::Kind::drip:
                flight.end();
                co_await connection.write(encoded.head);
                for (std::size_t position = 0; position < body.size(); ++position) {
                    const std::string_view byte = body.substr(position, 1);
                    co_await connection.write(byte);
                    co_await wait(answer.fault->interval);
                }
                break;
            case Fault::Kind::delay:
                flight.end();
                co_await wait(answer.fault->interval);
                [[fallthrough]];
            default:
                // One write for most answers: head and body leave in one segment.
                encoded.head += encoded.body;
                co_await connection.write(encoded.head);
                break;
        }
        flight.end();
        if (!request.keep_alive()) {
            co_await connection.close();
        }
        co_return request.keep_alive();
    }

    asio::awaitable<void> wait(std::chrono::milliseconds length) {
        if (length > std::chrono::milliseconds::zero()) {
            asio::steady_timer timer{io, length};
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    static asio::awaitable<void> until_closed(Connection& connection) {
        std::array<char, 1024> ignored{};
        std::size_t size = 1;
        while (size > 0) {
            size = co_await connection.read_some(asio::buffer(ignored));
        }
    }

    const Options options;
    World world;
    FaultPlan faults;
    Observations observations;
    Protocol protocol;
    std::uint16_t port = 0;
    std::string ca_pem;
    std::size_t in_flight = 0;  ///< of the thread alone
    asio::ssl::context tls{asio::ssl::context::tls_server};
    asio::io_context io{1};
    tcp::acceptor acceptor;
    std::thread thread;
};

Simulator::Simulator(Options options) : server_{std::make_unique<Server>(std::move(options))} {}

Simulator::~Simulator() = default;

std::string Simulator::base_url() const {
    const auto& options = server_->options;
    return options.tls ? fmt::format("https://{}:{}", options.tls_host, server_->port)
                       : fmt::format("http://127.0.0.1:{}", server_->port);
}

std::uint16_t Simulator::port() const {
    return server_->port;
}

const std::string& Simulator::ca_pem() const {
    return server_->ca_pem;
}

const Options& Simulator::options() const {
    return server_->options;
}

World& Simulator::world() {
    return server_->world;
}

void Simulator::fail(Fault fault) {
    server_->faults.add(std::move(fault));
}

void Simulator::clear_faults() {
    server_->faults.clear();
}

void Simulator::answer_with(Operation operation, std::optional<std::int64_t> organisation,
                            std::optional<std::string> business_id, std::string body) {
    Fault fault;
    fault.operation = operation;
    fault.organisation = organisation;
    fault.business_id = std::move(business_id);
    fault.status = 200;
    fault.body = std::move(body);
    fail(std::move(fault));
}

void Simulator::expire_tokens() {
    server_->protocol.expire_tokens();
}

bool Simulator::wait_for(core::Instant at, std::chrono::seconds limit) const {
    return server_->observations.wait_for(at, limit);
}

void Simulator::wait_for_requests(std::size_t count, std::optional<Operation> operation) const {
    if (!server_->observations.wait_for(count, operation, std::chrono::minutes{1})) {
        throw std::runtime_error{fmt::format("{} requests never came", count)};
    }
}

std::vector<Request> Simulator::requests() const {
    return server_->observations.requests();
}

std::vector<Violation> Simulator::violations() const {
    return server_->observations.violations();
}

std::size_t Simulator::max_in_flight() const {
    return server_->observations.max_in_flight();
}

std::string Simulator::summary() const {
    return server_->observations.summary();
}

void Simulator::clear_observations() {
    server_->observations.clear();
}

}  // namespace heiasync::simulator
