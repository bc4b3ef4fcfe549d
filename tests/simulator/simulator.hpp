#pragma once

#include "simulator/documents.hpp"
#include "simulator/faults.hpp"
#include "simulator/identity.hpp"
#include "simulator/observations.hpp"
#include "simulator/world.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::simulator {

/// What the token call must be given.
struct Credentials {
    std::string email = "client@example.com";
    std::string client_id = "heiasync-test-client";
    std::string client_secret = "client-secret-of-the-simulator";
    std::string magic_token = "magic-token-of-the-simulator";
};

/// Which of the two descriptions of `size_classes` the server honours; the other form filters nothing.
enum class ListForm { both, comma, repeated };

/// Where the server looks for the token.
enum class TokenPlace { both, header, query };

struct Options {
    std::uint64_t seed = 1;
    std::size_t organisations = 300;     ///< about an eighth of them of size class 20
    std::uint16_t port = 0;              ///< 0: a free one
    std::optional<CertificateFlaw> tls;  ///< none: plain http
    std::string tls_host = "localhost";  ///< the name or address that the certificate and base_url() are for
    bool only_tls_1_1 = false;           ///< nothing newer is spoken
    Credentials credentials;

    StatsShape stats_shape = StatsShape::wrapped;
    ListForm size_classes = ListForm::both;
    TokenPlace token_place = TokenPlace::both;
    std::size_t page_cap = 500;  ///< more than this is never on a page
    bool gzip = true;            ///< where the client accepts it and the body is larger than 1 kB
    bool chunked = false;        ///< bodies larger than 1 kB in chunks, without a length
    /// Where full_data is to be found: a redirect to this, `{target}` being the request's own target. Every simulator
    /// answers below `/simulator/moved` as it does at the root.
    std::optional<std::string> full_data_location;

    std::string scope = "read_only_admin_api";
    std::chrono::seconds token_lifetime = std::chrono::hours{14 * 24};
    std::optional<unsigned> token_requests;       ///< how many requests a token is good for
    std::optional<unsigned> connection_requests;  ///< how many answers a connection lives for, without saying so

    std::optional<core::Instant> now;      ///< for requests without X-Simulated-Time; none: what `clock` says
    std::function<core::Instant()> clock;  ///< called on the simulator's thread; empty: the system clock
    std::chrono::seconds date_skew{0};     ///< added to the Date header
    std::chrono::milliseconds latency{0};  ///< before every answer
    /// Called on the simulator's thread with the time of a request, before anything is made of it. While it does not
    /// return, nobody is answered.
    std::function<void(core::Instant)> on_request;
};

/// A faithful fake of the HeiaHeia Admin API on 127.0.0.1, with a thread of its own from construction to destruction.
///
/// "Now" is the request's X-Simulated-Time (ISO 8601) where it has one, else `Options::now`, else its clock; the
/// Date header and the life of tokens follow it. `GET /simulator/summary` answers Observations::summary() and is not
/// observed itself.
///
/// All members may be called from any thread.
class Simulator {
public:
    /// Listens when it returns. Throws boost::system::system_error where it cannot.
    explicit Simulator(Options options = {});
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;
    ~Simulator();

    /// `http://127.0.0.1:PORT`, or `https://TLS_HOST:PORT`.
    [[nodiscard]] std::string base_url() const;
    [[nodiscard]] std::uint16_t port() const;
    /// The authority that signed the server's certificate, as PEM; empty without TLS.
    [[nodiscard]] const std::string& ca_pem() const;
    [[nodiscard]] const Options& options() const;

    /// What the answers are made of, to compute what is true and to change it.
    [[nodiscard]] World& world();

    void fail(Fault fault);
    void clear_faults();
    /// From now on, every such call is answered with exactly this body and 200.
    void answer_with(Operation operation, std::optional<std::int64_t> organisation,
                     std::optional<std::string> business_id, std::string body);
    /// Every token given so far is dead.
    void expire_tokens();

    /// Waits until a request has come that is this late by the simulator's time. False where that takes too long.
    [[nodiscard]] bool wait_for(core::Instant at, std::chrono::seconds limit) const;
    /// Waits until this many requests have come, of one operation or of all. Throws where that takes a minute.
    void wait_for_requests(std::size_t count, std::optional<Operation> operation = {}) const;
    [[nodiscard]] std::vector<Request> requests() const;
    [[nodiscard]] std::vector<Violation> violations() const;
    [[nodiscard]] std::size_t max_in_flight() const;
    [[nodiscard]] std::string summary() const;
    /// Forgets requests and violations.
    void clear_observations();

private:
    struct Server;
    std::unique_ptr<Server> server_;
};

}  // namespace heiasync::simulator
