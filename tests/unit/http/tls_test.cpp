#include "http/connection.hpp"
#include "unit/http/session.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::answer;
using testing::answers;
using testing::Authority;
using ::testing::HasSubstr;
using testing::Identity;
using testing::over_tls;
using testing::Peer;
using testing::Script;
using testing::ScriptedServer;
using testing::Session;
using Kind = TransportError::Kind;

const std::string ok = answer(200, "fine");
const std::string both_names = "DNS:localhost,IP:127.0.0.1";

const Authority& authority() {
    static const Authority instance;
    return instance;
}

boost::asio::awaitable<void> facts_of(std::filesystem::path ca_file, Origin origin, std::optional<TlsFacts>& facts) {
    Connector connector{ca_file};
    const std::optional<Proxy> none;
    const auto connection = co_await connector.connect(origin, none, 10s);
    facts = connection->tls();
}

class Tls : public Session {
protected:
    Tls() { settings.ca_file = authority().file(); }

    static Script good() { return over_tls(authority().issue(both_names), answers({ok, ok})); }
};

TEST_F(Tls, VerifiesTheNameAndAsksForItBySni) {
    std::promise<std::string> name;
    ScriptedServer server{{[&](Peer& peer) {
        peer.start_tls(authority().issue("DNS:localhost"));
        name.set_value(peer.server_name());
        answers({ok, ok})(peer);
    }}};
    EXPECT_EQ(get(server.url("/", "https", "localhost"), 1).body, "fine");
    EXPECT_EQ(get(server.url("/", "https", "localhost"), 1).body, "fine");
    EXPECT_EQ(name.get_future().get(), "localhost");
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(Tls, VerifiesAnAddress) {
    ScriptedServer server{{over_tls(authority().issue("IP:127.0.0.1"), answers({ok})),
                           over_tls(authority().issue("DNS:127.0.0.1"), answers({ok})),
                           over_tls(authority().issue("IP:127.0.0.2"), answers({ok}))}};
    EXPECT_EQ(get(server.url("/", "https"), 1).body, "fine");
    client().close();
    EXPECT_THAT(failing(server.url("/", "https"), 1).what(), HasSubstr("IP address mismatch"));
    EXPECT_THAT(failing(server.url("/", "https"), 1).what(), HasSubstr("IP address mismatch"));
}

TEST_F(Tls, TellsTheProtocolAndTheEndOfTheCertificate) {
    ScriptedServer server{{over_tls(authority().issue(both_names, 1h), answers({ok}))}};
    const Origin origin = parse_url(server.url("/", "https", "localhost")).origin;
    std::optional<TlsFacts> facts;
    testing::run(facts_of(*settings.ca_file, origin, facts));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->protocol, "TLSv1.3");
    const auto left = facts->certificate_valid_until - core::SystemClock{}.now();
    EXPECT_GT(left, 58min);
    EXPECT_LE(left, 1h);
}

struct Fault {
    const char* name;
    Script script;
    Kind kind;
    const char* text;
};

void PrintTo(const Fault& fault, std::ostream* stream) {
    *stream << fault.name;
}

std::vector<Fault> faults() {
    static const Authority stranger;
    const Identity good = authority().issue(both_names);
    return {
        {"wrong_host", over_tls(authority().issue("DNS:other.example"), answers({ok})), Kind::tls, "mismatch"},
        {"self_signed", over_tls(testing::self_signed(both_names), answers({ok})), Kind::tls,
         "self-signed certificate"},
        {"another_authority", over_tls(stranger.issue(both_names), answers({ok})), Kind::tls, "certificate is refused"},
        {"expired", over_tls(authority().issue(both_names, -1min), answers({ok})), Kind::tls,
         "certificate has expired"},
        {"not_yet_valid", over_tls(authority().issue(both_names, 3h), answers({ok})), Kind::tls, "not yet valid"},
        {"only_tls_1_1", [good](Peer& peer) { peer.start_tls(good, Peer::Tls::only_1_1); }, Kind::tls, "no handshake"},
        {"no_tls", [](Peer& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); }, Kind::tls, "no handshake"},
        {"hangs_in_the_handshake", [](Peer& peer) { peer.until_closed(); }, Kind::connect,
         "not connected within 100ms"},
        {"closes_in_the_handshake", [](Peer& peer) { peer.close(); }, Kind::connect, "in the TLS handshake"},
        {"hangs_after_the_request",
         over_tls(good,
                  [](Peer& peer) {
                      peer.request();
                      peer.until_closed();
                  }),
         Kind::timeout, "not answered within 100ms"},
        {"closes_without_answer", over_tls(good, [](Peer& peer) { peer.request(); }), Kind::broken,
         "without an answer"},
        {"cut_in_the_body",
         over_tls(good,
                  [](Peer& peer) {
                      peer.request();
                      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
                  }),
         Kind::broken, "in the middle"},
        {"cut_in_the_body_with_goodbye",
         over_tls(good,
                  [](Peer& peer) {
                      peer.request();
                      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
                      peer.say_goodbye();
                  }),
         Kind::broken, "in the middle"},
        {"ends_without_length_and_goodbye",
         over_tls(good,
                  [](Peer& peer) {
                      peer.request();
                      peer.send("HTTP/1.1 200 OK\r\n\r\nhalf or all?");
                  }),
         Kind::broken, "in the middle"},
    };
}

class TlsFaults : public Tls, public ::testing::WithParamInterface<Fault> {
protected:
    TlsFaults() {
        const std::string_view text = GetParam().text;
        if (text.find("100ms") != std::string_view::npos) {
            (GetParam().kind == Kind::timeout ? settings.request_timeout : settings.connect_timeout) = 100ms;
        }
    }
};

TEST_P(TlsFaults, EndTheRequestAndTheNextSucceeds) {
    const Fault& fault = GetParam();
    ScriptedServer server{{fault.script, good()}};
    const TransportError error = failing(server.url("/", "https"), 1);
    EXPECT_EQ(error.kind(), fault.kind) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(fault.text));
    EXPECT_EQ(error.retriable(), fault.kind != Kind::tls);
    EXPECT_EQ(get(server.url("/", "https"), 1).body, "fine");
}

INSTANTIATE_TEST_SUITE_P(All, TlsFaults, ::testing::ValuesIn(faults()),
                         [](const auto& fault) { return fault.param.name; });

TEST_F(Tls, WithoutCaFileAPrivateAuthorityIsAStranger) {
    settings.ca_file.reset();
    ScriptedServer server{{good()}};
    const TransportError error = failing(server.url("/", "https"));
    EXPECT_EQ(error.kind(), Kind::tls);
    EXPECT_EQ(error.attempts(), 1);
}

TEST_F(Tls, AnEndWithoutGoodbyeIsHarmlessAfterAWholeBody) {
    ScriptedServer server{{over_tls(authority().issue(both_names),
                                    [](Peer& peer) {
                                        peer.request();
                                        peer.send(ok);
                                    }),
                           good()}};
    EXPECT_EQ(get(server.url("/", "https"), 1).body, "fine");
    const Answer second = get(server.url("/", "https"), 1);
    EXPECT_EQ(second.body, "fine") << "and the stale connection is replaced";
    EXPECT_EQ(second.response.attempts, 1);
}

TEST_F(Tls, AnEndWithGoodbyeEndsABodyWithoutLength) {
    ScriptedServer server{{over_tls(authority().issue(both_names), [](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\n\r\nfine");
        peer.say_goodbye();
    })}};
    EXPECT_EQ(get(server.url("/", "https"), 1).body, "fine");
}

TEST_F(Tls, GoesThroughAProxy) {
    const Identity identity = authority().issue("DNS:api.example");
    std::promise<std::string> asked;
    ScriptedServer proxy{{[&](Peer& peer) {
        asked.set_value(peer.request());
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
        over_tls(identity, answers({ok, ok}))(peer);
    }}};
    settings.proxy = fmt::format("http://127.0.0.1:{}", proxy.port());
    EXPECT_EQ(get("https://api.example/", 1).body, "fine");
    EXPECT_EQ(get("https://api.example/", 1).body, "fine");
    EXPECT_THAT(asked.get_future().get(), ::testing::StartsWith("CONNECT api.example:443 HTTP/1.1\r\n"));
    EXPECT_EQ(proxy.connections(), 1);
}

TEST_F(Tls, IsNotLeftByARedirect) {
    ScriptedServer plain{{answers({ok})}};
    ScriptedServer server{{over_tls(authority().issue(both_names),
                                    answers({answer(302, "", "Location: " + plain.url("/secret") + "\r\n"), ok}))}};
    const TransportError error = failing(server.url("/", "https"));
    EXPECT_EQ(error.kind(), Kind::redirect);
    EXPECT_THAT(error.what(), HasSubstr("redirects from https to http"));
    EXPECT_EQ(plain.connections(), 0);
    EXPECT_EQ(get(server.url("/", "https")).body, "fine");
}

}  // namespace
}  // namespace heiasync::http
