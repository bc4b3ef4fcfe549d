#include "http/client.hpp"

#include "unit/http/compress.hpp"
#include "unit/http/session.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>
#include <stdexcept>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::answer;
using testing::answers;
using testing::compress;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Peer;
using testing::records;
using testing::request_for;
using testing::Requests;
using testing::Script;
using testing::ScriptedServer;
using testing::Session;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = TransportError::Kind;

constexpr auto short_deadline = 80ms;

const std::string ok = answer(200, "fine");

Script sends(std::string text) {
    return [text = std::move(text)](Peer& peer) {
        peer.request();
        peer.send(text);
    };
}

class Answers : public Session {};

TEST_F(Answers, ComeWithStatusHeadersAndBody) {
    ScriptedServer server{{answers({answer(200, "body", "X-One: 1\r\nDate: Wed, 01 Jul 2026 00:59:00 GMT\r\n")})}};
    const Answer got = get(server.url());
    EXPECT_EQ(got.response.status, 200U);
    EXPECT_EQ(got.body, "body");
    EXPECT_EQ(got.response.body_size, 4U);
    EXPECT_EQ(got.response.header("x-one"), "1");
    EXPECT_EQ(got.response.header("x-two"), std::nullopt);
    EXPECT_EQ(got.response.received_at, testing::start_of_test);
    EXPECT_EQ(got.response.attempts, 1);
    EXPECT_FALSE(got.response.deferred);
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_EQ(reports[0].status, 200U);
    EXPECT_EQ(reports[0].bytes_received, 4U);
    EXPECT_EQ(reports[0].server_date, testing::start_of_test - 1min);
}

TEST_F(Answers, OfACacheDoNotTellTheServersTime) {
    ScriptedServer server{{answers({answer(200, "", "Date: Wed, 01 Jul 2026 00:59:00 GMT\r\nAge: 60\r\n")})}};
    get(server.url());
    EXPECT_EQ(reports.at(0).server_date, std::nullopt);
}

TEST_F(Answers, ShareOneConnection) {
    Requests requests;
    ScriptedServer server{{records(requests, {ok, answer(404, "no"), ok, answer(200, "")})}};
    for (const unsigned status : {200U, 404U, 200U, 200U}) {
        EXPECT_EQ(get(server.url()).response.status, status);
    }
    EXPECT_EQ(server.connections(), 1);
    EXPECT_THAT(requests.all(), SizeIs(4));
}

TEST_F(Answers, ToAPostWithABody) {
    Requests requests;
    ScriptedServer server{{records(requests, {ok})}};
    Request post = request_for(server.url("/token"));
    post.method = "POST";
    post.body = core::Secret{R"({"a":1})"};
    EXPECT_EQ(send(post).body, "fine");
    EXPECT_THAT(requests.all().at(0), StartsWith("POST /token HTTP/1.1\r\n"));
    EXPECT_THAT(requests.all().at(0), ::testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST_F(Answers, AreReadHoweverTheyAreFramed) {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string packed = compress("fine");
    ScriptedServer server{{
        sends(head + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nfi\r\n2\r\nne\r\n0\r\nContent-Encoding: late\r\n\r\n"),
        sends(head + "\r\nfine"),
        sends("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine"),
        sends("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok),
        sends(answer(200, packed, "Content-Encoding: gzip\r\n")),
        sends(answer(200, compress("fine", testing::Wrapping::zlib), "Content-Encoding: Deflate\r\n")),
        sends(head + "Content-Encoding: x-gzip\r\n\r\n" + packed),
        [](Peer& peer) {
            peer.request();
            peer.drip(ok);
        },
    }};
    for (int i = 0; i < 8; ++i) {
        const Answer got = get(server.url());
        EXPECT_EQ(got.body, "fine") << i;
        EXPECT_EQ(got.response.body_size, 4U) << i;
        EXPECT_EQ(got.response.attempts, 1) << i;
    }
    EXPECT_EQ(server.connections(), 8);
}

TEST_F(Answers, WithoutABodyHaveNone) {
    ScriptedServer server{
        {answers({"HTTP/1.1 204 No Content\r\n\r\n", answer(200, "", "Content-Encoding: gzip\r\n"), ok})}};
    EXPECT_EQ(get(server.url()).body, "");
    EXPECT_EQ(get(server.url()).body, "");
    EXPECT_EQ(get(server.url()).body, "fine");
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(Answers, LargerThanTheBufferStreamThrough) {
    std::string large;
    for (int i = 0; large.size() < 3'000'000; ++i) {
        large += std::to_string(i);
    }
    ScriptedServer server{{answers({answer(200, large), answer(200, compress(large), "Content-Encoding: gzip\r\n")})}};
    EXPECT_EQ(get(server.url()).body, large);
    const Answer packed = get(server.url());
    EXPECT_EQ(packed.body, large);
    EXPECT_EQ(packed.response.body_size, large.size());
    EXPECT_EQ(reports.at(1).bytes_received, compress(large).size());
}

TEST_F(Answers, ThatFailKeepTheFirst64KiBOfTheirBody) {
    const std::string body(70'000, 'x');
    ScriptedServer server{{answers(
        {answer(404, "gone"), answer(400, body), answer(403, compress(body), "Content-Encoding: gzip\r\n"),
         answer(404, "broken", "Content-Encoding: gzip\r\n"), answer(404, "odd", "Content-Encoding: br\r\n"), ok})}};
    const Answer gone = get(server.url());
    EXPECT_EQ(gone.response.failure_body, "gone");
    EXPECT_EQ(gone.body, "");
    EXPECT_EQ(gone.response.body_size, 0U);
    EXPECT_EQ(get(server.url()).response.failure_body, body.substr(0, 65536));
    EXPECT_EQ(get(server.url()).response.failure_body, body.substr(0, 65536));
    EXPECT_EQ(get(server.url()).response.failure_body, "");
    EXPECT_EQ(get(server.url()).response.failure_body, "");
    EXPECT_EQ(get(server.url()).body, "fine");
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(Answers, ThatFailAtGreatLengthAreNotReadToTheEnd) {
    ScriptedServer server{{[](Peer& peer) {
                               peer.request();
                               peer.send("HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\n");
                               peer.send("7fffffff\r\n" + std::string(300'000, 'x'));
                               peer.until_closed();
                           },
                           answers({ok})}};
    const Answer got = get(server.url());
    EXPECT_EQ(got.response.status, 404U);
    EXPECT_THAT(got.response.failure_body, SizeIs(65536));
    EXPECT_EQ(get(server.url()).body, "fine");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(Answers, FollowedByStrayBytesEndTheConnection) {
    ScriptedServer server{{sends(ok + "HTTP/1.1 200 OK\r\n"), answers({answer(200, "second")})}};
    EXPECT_EQ(get(server.url()).body, "fine");
    EXPECT_EQ(get(server.url()).body, "second");
}

TEST_F(Answers, ConnectionCloseIsHeeded) {
    ScriptedServer server{{answers({answer(200, "first", "Connection: close\r\n")}), answers({answer(200, "second")})}};
    EXPECT_EQ(get(server.url()).body, "first");
    EXPECT_EQ(get(server.url()).body, "second");
}

TEST_F(Answers, AfterCloseUseANewConnection) {
    ScriptedServer server{{answers({ok}), answers({ok})}};
    get(server.url());
    client().close();
    get(server.url());
    EXPECT_EQ(server.connections(), 2);
}

class StaleConnections : public Session, public ::testing::WithParamInterface<const char*> {};

TEST_P(StaleConnections, AreReplacedWithinTheAttempt) {
    std::promise<void> closed;
    ScriptedServer server{{[&](Peer& peer) {
                               peer.request();
                               peer.send(ok);
                               GetParam() == std::string_view{"closed"} ? peer.close() : peer.reset();
                               closed.set_value();
                           },
                           [](Peer& peer) {  // closed while the request is on its way
                               peer.request();
                               peer.send(ok);
                               peer.request();
                           },
                           answers({answer(200, "third")})}};
    EXPECT_EQ(get(server.url()).body, "fine");
    closed.get_future().wait();
    EXPECT_EQ(get(server.url(), 1).body, "fine");
    Request post = request_for(server.url());
    post.method = "POST";
    const Answer third = send(post, 1);
    EXPECT_EQ(third.body, "third");
    EXPECT_EQ(third.response.attempts, 1);
    EXPECT_THAT(reports, SizeIs(3));
    EXPECT_EQ(server.connections(), 3);
}

INSTANTIATE_TEST_SUITE_P(ByFinAndRst, StaleConnections, ::testing::Values("closed", "reset"),
                         [](const auto& which) { return std::string{which.param}; });

TEST_F(Answers, ThatBeganOnAReusedConnectionAreNotStale) {
    ScriptedServer server{{[](Peer& peer) {
                               peer.request();
                               peer.send(ok);
                               peer.request();
                               peer.send("HTTP/1.1 200 OK\r\nContent-");
                           },
                           answers({ok})}};
    get(server.url());
    EXPECT_EQ(failing(server.url(), 1).kind(), Kind::broken);
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

struct Fault {
    const char* name;
    Script script;
    Kind kind;
    const char* text;
    bool retriable;
};

void PrintTo(const Fault& fault, std::ostream* stream) {
    *stream << fault.name;
}

const std::string gzipped = "Content-Encoding: gzip\r\n";

std::vector<Fault> faults() {
    const std::string packed = compress("a text that is long enough to be cut in two");
    const std::string bomb = compress(std::string(3'000'000, 'x'));
    return {
        {"closes_at_once", [](Peer& peer) { peer.close(); }, Kind::broken, "", true},
        {"closes_without_answer", [](Peer& peer) { peer.request(); }, Kind::broken, "closed without an answer", true},
        {"resets_without_answer",
         [](Peer& peer) {
             peer.request();
             peer.reset();
         },
         Kind::broken, "", true},
        {"hangs",
         [](Peer& peer) {
             peer.request();
             peer.until_closed();
         },
         Kind::timeout, "not answered within 80ms", true},
        {"hangs_in_the_body",
         [](Peer& peer) {
             peer.request();
             peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
             peer.until_closed();
         },
         Kind::timeout, "not answered within 80ms", true},
        {"drips",
         [](Peer& peer) {
             peer.request();
             peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
             peer.drip(std::string(100'000, 'x'));
         },
         Kind::timeout, "not answered within 80ms", true},
        {"drips_informational_answers",
         [](Peer& peer) {
             peer.request();
             std::string many;
             for (int i = 0; i < 10'000; ++i) {
                 many += "HTTP/1.1 102 Processing\r\n\r\n";
             }
             peer.drip(many);
         },
         Kind::timeout, "not answered within 80ms", true},
        {"cut_in_the_header", sends("HTTP/1.1 200 OK\r\nContent-Le"), Kind::broken, "in the middle", true},
        {"cut_in_the_body", sends("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Kind::broken, "in the middle",
         true},
        {"cut_after_an_informational_answer", sends("HTTP/1.1 103 X\r\n\r\n"), Kind::broken, "in the middle", true},
        {"cut_in_a_chunk", sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"), Kind::broken,
         "in the middle", true},
        {"cut_before_the_last_chunk", sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
         Kind::broken, "in the middle", true},
        {"reset_in_the_body",
         [](Peer& peer) {
             peer.request();
             peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
             peer.reset();
         },
         Kind::broken, "", true},
        {"garbage", sends("\x16\x03\x01 what is this\r\n\r\n"), Kind::protocol, "not an HTTP answer", true},
        {"another_version", sends("HTTP/3.0 200 OK\r\n\r\n"), Kind::protocol, "not an HTTP answer", true},
        {"another_protocol", sends("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), Kind::protocol, "", true},
        {"bad_chunk", sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), Kind::protocol, "", true},
        {"bad_content_length", sends("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Kind::protocol, "", true},
        {"two_lengths", sends("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Kind::protocol,
         "", true},
        {"length_and_chunks",
         sends("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Kind::protocol,
         "", true},
        {"endless_header", sends("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')), Kind::protocol, "", true},
        {"endless_chunk_header",
         sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')), Kind::protocol,
         "", true},
        {"status_of_two", sends("HTTP/1.1 002 OK\r\nContent-Length: 0\r\n\r\n"), Kind::protocol, "status", true},
        {"unknown_coding", sends(answer(200, "fine", "Content-Encoding: br\r\n")), Kind::protocol, "coding", true},
        {"coding_twice", sends(answer(200, packed, gzipped + gzipped)), Kind::protocol, "coding", true},
        {"unknown_transfer_coding", sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
         Kind::protocol, "coding", true},
        {"gzip_cut", sends(answer(200, packed.substr(0, packed.size() / 2), gzipped)), Kind::broken, "cut short", true},
        {"gzip_cut_until_close", sends("HTTP/1.1 200 OK\r\n" + gzipped + "\r\n" + packed.substr(0, packed.size() / 2)),
         Kind::broken, "cut short", true},
        {"gzip_broken", sends(answer(200, "this is not gzip", gzipped)), Kind::protocol, "compressed body is broken",
         true},
        {"gzip_bomb", sends(answer(200, bomb, gzipped)), Kind::too_large, "larger than 1MiB", false},
        {"too_large_by_length", sends("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"), Kind::too_large,
         "larger than 1MiB", false},
        {"too_large_in_chunks",
         sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + std::string(1'100'000, 'x')),
         Kind::too_large, "larger than 1MiB", false},
        {"too_large_until_close", sends("HTTP/1.1 200 OK\r\n\r\n" + std::string(1'100'000, 'x')), Kind::too_large,
         "larger than 1MiB", false},
    };
}

class Faults : public Session, public ::testing::WithParamInterface<Fault> {
protected:
    Faults() {
        settings.max_response_size = 1U << 20U;
        if (GetParam().kind == Kind::timeout) {
            settings.request_timeout = short_deadline;
        }
    }
};

TEST_P(Faults, EndTheRequestAndTheNextSucceeds) {
    const Fault& fault = GetParam();
    ScriptedServer server{{fault.script, answers({ok})}};
    const TransportError error = failing(server.url("/data-instance-secret"), 1);
    EXPECT_EQ(error.kind(), fault.kind) << error.what();
    EXPECT_EQ(error.retriable(), fault.retriable);
    EXPECT_EQ(error.attempts(), 1);
    EXPECT_THAT(error.what(), StartsWith("GET /things/{id}: 127.0.0.1:" + std::to_string(server.port()) + ": "));
    EXPECT_THAT(error.what(), HasSubstr(fault.text));
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_EQ(reports[0].status, 0U);
    EXPECT_EQ(reports[0].error, error.what());

    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

TEST_P(Faults, AreRepeatedWhereThatMayHelp) {
    const Fault& fault = GetParam();
    ScriptedServer server{{fault.script, answers({ok})}};
    if (!fault.retriable) {
        EXPECT_EQ(failing(server.url()).attempts(), 1);
        EXPECT_EQ(get(server.url(), 1).body, "fine");
        return;
    }
    const Answer got = get(server.url());
    EXPECT_EQ(got.body, "fine") << "and nothing of the first attempt";
    EXPECT_EQ(got.response.attempts, 2);
    ASSERT_THAT(reports, SizeIs(2));
    EXPECT_TRUE(reports[0].retry_in);
    EXPECT_LE(*reports[0].retry_in, 1s);
    EXPECT_FALSE(reports[1].retry_in);
}

INSTANTIATE_TEST_SUITE_P(All, Faults, ::testing::ValuesIn(faults()),
                         [](const auto& fault) { return fault.param.name; });

class Connecting : public Session {};

TEST_F(Connecting, Refused) {
    ScriptedServer server{{answers({ok})}, ScriptedServer::Listen::later};
    const TransportError error = failing(server.url(), 2);
    EXPECT_EQ(error.kind(), Kind::connect);
    EXPECT_EQ(error.attempts(), 2);
    EXPECT_THAT(error.what(), HasSubstr("cannot connect: Connection refused"));
    server.listen();
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

TEST_F(Connecting, ToANameWhoseFirstAddressRefuses) {
    ScriptedServer server{{answers({ok})}};
    EXPECT_EQ(get(server.url("/", "http", "localhost"), 1).body, "fine");
}

TEST_F(Connecting, ToAnUnknownName) {
    const TransportError error = failing("http://" + std::string(300, 'a') + "/", 1);
    EXPECT_EQ(error.kind(), Kind::resolve);
    EXPECT_TRUE(error.retriable());
}

TEST_F(Connecting, ToAMachineThatDoesNotAnswer) {
    settings.connect_timeout = short_deadline;
    // A full backlog: further connections get no answer at all.
    const int full = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(full, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(full, 0), 0);
    ASSERT_EQ(::getsockname(full, reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::vector<int> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        EXPECT_LE(::connect(waiting.back(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    }
    const TransportError error = failing(fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port)), 1);
    EXPECT_EQ(error.kind(), Kind::connect);
    EXPECT_THAT(error.what(), HasSubstr("not connected within 80ms"));
    for (const int socket : waiting) {
        ::close(socket);
    }
    ::close(full);
}

class Retries : public Session {};

TEST_F(Retries, UntilTheServerAnswers) {
    ScriptedServer server{{answers({answer(503, "busy"), answer(500, ""), answer(429, ""), ok})}};
    const Answer got = get(server.url());
    EXPECT_EQ(got.response.status, 200U);
    EXPECT_EQ(got.body, "fine");
    EXPECT_EQ(got.response.attempts, 4);
    EXPECT_EQ(server.connections(), 1);
    ASSERT_THAT(reports, SizeIs(4));
    EXPECT_EQ(reports[0].status, 503U);
    EXPECT_EQ(reports[3].status, 200U);
    EXPECT_EQ(reports[3].retry_in, std::nullopt);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(reports[static_cast<std::size_t>(i)].retry_in);
        EXPECT_LE(*reports[static_cast<std::size_t>(i)].retry_in, 1s * (1 << i));
    }
}

TEST_F(Retries, EndWithTheAnswerOfTheLastAttempt) {
    settings.retry.attempts = 2;
    ScriptedServer server{{answers({answer(503, "1"), answer(502, "2"), ok})}};
    const Answer got = get(server.url());
    EXPECT_EQ(got.response.status, 502U);
    EXPECT_EQ(got.response.failure_body, "2");
    EXPECT_EQ(got.response.attempts, 2);
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

TEST_F(Retries, NeverOfWhatIsFinal) {
    ScriptedServer server{{answers({answer(400, ""), answer(401, ""), answer(403, ""), answer(404, ""), ok})}};
    for (const unsigned status : {400U, 401U, 403U, 404U, 200U}) {
        const Answer got = get(server.url());
        EXPECT_EQ(got.response.status, status);
        EXPECT_EQ(got.response.attempts, 1);
    }
    EXPECT_THAT(clock.waits(), ElementsAre());
}

TEST_F(Retries, WaitAsLongAsRetryAfterSays) {
    ScriptedServer server{{answers({answer(503, "", "Retry-After: 7\r\n"),
                                    answer(429, "",
                                           "Date: Tue, 30 Jun 2026 12:00:00 GMT\r\n"
                                           "Retry-After: Tue, 30 Jun 2026 12:00:30 GMT\r\n"),
                                    ok})}};
    EXPECT_EQ(get(server.url()).response.status, 200U);
    EXPECT_THAT(clock.waits(), ElementsAre(7s, 30s));
}

TEST_F(Retries, BeyondPatienceAreDeferredAndHoldTheServer) {
    Requests requests;
    ScriptedServer server{{records(requests, {answer(503, "busy", "Retry-After: 100\r\n")}), records(requests, {ok})}};
    ScriptedServer other{{answers({ok})}};
    const Answer first = get(server.url());
    EXPECT_TRUE(first.response.deferred);
    EXPECT_EQ(first.response.status, 503U);
    EXPECT_EQ(first.response.attempts, 1);

    const Answer second = get(server.url());
    EXPECT_TRUE(second.response.deferred);
    EXPECT_EQ(second.response.status, 503U);
    EXPECT_EQ(second.response.attempts, 0);
    EXPECT_THAT(requests.all(), SizeIs(1));
    EXPECT_THAT(reports, SizeIs(1));
    EXPECT_EQ(get(other.url()).body, "fine") << "another server is not held";

    clock.advance(60s);
    const Answer third = get(server.url());
    EXPECT_EQ(third.body, "fine");
    EXPECT_FALSE(third.response.deferred);
    EXPECT_THAT(clock.waits(), ElementsAre(40s)) << "within patience the rest is waited for";
}

TEST_F(Retries, OfTheLastAttemptStillHoldTheNextRequest) {
    ScriptedServer server{{answers({answer(503, "", "Retry-After: 9\r\n"), ok, ok})}};
    EXPECT_EQ(get(server.url(), 1).response.status, 503U);
    EXPECT_EQ(get(server.url()).response.status, 200U);
    EXPECT_EQ(get(server.url()).response.status, 200U);
    EXPECT_THAT(clock.waits(), ElementsAre(9s));
}

TEST_F(Retries, RequestsKeepTheirDistance) {
    settings.min_request_interval = 250ms;
    ScriptedServer server{{answers({ok, ok, ok, ok, ok})}};
    get(server.url());
    get(server.url());
    clock.advance(100ms);
    get(server.url());
    clock.advance(300ms);
    get(server.url());
    clock.advance(-24h);
    get(server.url());
    EXPECT_THAT(clock.waits(), ElementsAre(250ms, 150ms, 250ms)) << "a clock that was set back prolongs nothing";
}

class FailingSink final : public core::ByteSink {
public:
    void restart() override {}
    void write(std::string_view) override { throw std::domain_error{"the sink"}; }
};

class Interruptions : public Session {};

TEST_F(Interruptions, WhatTheSinkThrowsEndsTheRequest) {
    ScriptedServer server{{answers({ok}), answers({ok})}};
    FailingSink sink;
    const Request request = request_for(server.url());
    client();
    const auto attempt = [](Client& to, const Request& what, core::ByteSink& into) -> boost::asio::awaitable<void> {
        co_await to.send(what, into);
    };
    EXPECT_THROW(testing::run(attempt(client(), request, sink)), std::domain_error);
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

TEST_F(Interruptions, CancelledWhileTheServerThinks) {
    std::promise<void> asked;
    ScriptedServer server{{[&](Peer& peer) {
                               peer.request();
                               asked.set_value();
                               peer.until_closed();
                           },
                           answers({ok})}};
    EXPECT_TRUE(cancelled(server.url(), [&] {
        asked.get_future().wait();
        return true;
    }));
    EXPECT_THAT(reports, SizeIs(0)) << "a stop is no failure of the server";
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

TEST_F(Interruptions, CancelledInTheMiddleOfABody) {
    std::promise<void> asked;
    ScriptedServer server{{[&](Peer& peer) {
                               peer.request();
                               peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
                               asked.set_value();
                               peer.until_closed();
                           },
                           answers({ok})}};
    EXPECT_TRUE(cancelled(server.url(), [&] {
        asked.get_future().wait();
        return true;
    }));
    EXPECT_EQ(get(server.url(), 1).body, "fine");
}

class Redirects : public Session {
protected:
    static std::string to(const std::string& location, int status = 302) {
        return answer(status, "moved", "Location: " + location + "\r\n");
    }

    Answer get_authorised(const std::string& url) {
        Request request = request_for(url);
        request.bearer = core::Secret{"t0ken"};
        return send(request);
    }
};

TEST_F(Redirects, WithinTheServerUseTheSameConnection) {
    Requests requests;
    ScriptedServer server{{records(requests, {to("/b", 301), to("c?d", 307), ok})}};
    const Answer got = get_authorised(server.url("/a"));
    EXPECT_EQ(got.body, "fine");
    EXPECT_EQ(got.response.attempts, 1);
    EXPECT_EQ(server.connections(), 1);
    ASSERT_THAT(requests.all(), SizeIs(3));
    EXPECT_THAT(requests.all()[1], StartsWith("GET /b "));
    EXPECT_THAT(requests.all()[2], StartsWith("GET /c?d "));
    EXPECT_THAT(requests.all()[2], HasSubstr("Authorization: Bearer t0ken"));
    EXPECT_THAT(reports, SizeIs(1));
}

TEST_F(Redirects, ToAnotherServerTakeNoTokenAlongAndKeepTheMainConnection) {
    Requests asked_there;
    Requests asked_here;
    ScriptedServer there{{records(asked_there, {ok})}};
    ScriptedServer here{{records(asked_here, {to(there.url("/x")), answer(200, "home")})}};
    EXPECT_EQ(get_authorised(here.url("/a")).body, "fine");
    EXPECT_EQ(get_authorised(here.url("/b")).body, "home");
    EXPECT_EQ(here.connections(), 1);
    EXPECT_THAT(asked_there.all().at(0), Not(HasSubstr("t0ken")));
    EXPECT_THAT(asked_here.all().at(1), HasSubstr("t0ken"));
}

TEST_F(Redirects, ComingBackFromAnotherServerTakeNoTokenAlong) {
    Requests asked_here;
    std::promise<std::string> here_url;
    auto url = here_url.get_future().share();
    ScriptedServer there{{[&](Peer& peer) {
        peer.request();
        peer.send(to(url.get()));
        peer.until_closed();
    }}};
    ScriptedServer here{{records(asked_here, {to(there.url("/x")), answer(200, "home")})}};
    here_url.set_value(here.url("/back"));
    EXPECT_EQ(get_authorised(here.url("/a")).body, "home");
    EXPECT_THAT(asked_here.all().at(0), HasSubstr("t0ken"));
    EXPECT_THAT(asked_here.all().at(1), Not(HasSubstr("t0ken")));
}

TEST_F(Redirects, InALoopEnd) {
    Requests requests;
    ScriptedServer server{{records(
        requests, {to("/secret"), to("/secret"), to("/secret"), to("/secret"), to("/secret"), to("/secret"), ok})}};
    const TransportError error = failing(server.url("/secret"));
    EXPECT_EQ(error.kind(), Kind::redirect);
    EXPECT_EQ(error.attempts(), 1);
    EXPECT_THAT(error.what(), HasSubstr("redirects too often"));
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    EXPECT_THAT(requests.all(), SizeIs(6));
    EXPECT_EQ(get(server.url()).body, "fine");
}

TEST_F(Redirects, OfAPostAreRefused) {
    ScriptedServer server{{answers({to("/x", 307), ok})}};
    Request post = request_for(server.url());
    post.method = "POST";
    EXPECT_THROW(send(post), TransportError);
    EXPECT_EQ(get(server.url()).body, "fine");
}

TEST_F(Redirects, ToADeadServerDoNotNameIt) {
    ScriptedServer there{{}, ScriptedServer::Listen::later};
    ScriptedServer here{{answers({to(there.url("/secret")), ok})}};
    const TransportError error = failing(here.url(), 1);
    EXPECT_EQ(error.kind(), Kind::connect);
    EXPECT_THAT(error.what(), HasSubstr(fmt::format("127.0.0.1:{}, redirected: cannot connect", here.port())));
    EXPECT_THAT(error.what(), Not(HasSubstr(std::to_string(there.port()))));
    EXPECT_EQ(get(here.url()).body, "fine");
}

class Proxies : public Session {
protected:
    void use(const ScriptedServer& proxy) {
        settings.proxy = fmt::format("http://user:pass@127.0.0.1:{}", proxy.port());
    }
};

TEST_F(Proxies, AreAskedForTheAbsoluteUrl) {
    Requests requests;
    ScriptedServer proxy{{records(requests, {ok, ok})}};
    use(proxy);
    EXPECT_EQ(get("http://api.example/a?b").body, "fine");
    EXPECT_EQ(get("http://api.example/c").body, "fine");
    EXPECT_THAT(requests.all().at(0), StartsWith("GET http://api.example/a?b HTTP/1.1\r\nHost: api.example\r\n"));
    EXPECT_THAT(requests.all().at(0), HasSubstr("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    EXPECT_EQ(proxy.connections(), 1);
}

TEST_F(Proxies, ThatRefuseTheTunnel) {
    Requests requests;
    ScriptedServer proxy{{records(requests, {answer(407, "no")})}};
    use(proxy);
    const TransportError error = failing("https://api.example/secret", 1);
    EXPECT_EQ(error.kind(), Kind::proxy);
    EXPECT_THAT(error.what(), HasSubstr("answered 407 to CONNECT"));
    EXPECT_THAT(error.what(), Not(HasSubstr("pass")));
    EXPECT_THAT(requests.all().at(0), StartsWith("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n"));
    EXPECT_THAT(requests.all().at(0), HasSubstr("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
}

TEST_F(Proxies, ThatHang) {
    settings.connect_timeout = short_deadline;
    ScriptedServer proxy{{[](Peer& peer) { peer.until_closed(); }}};
    use(proxy);
    EXPECT_EQ(failing("https://api.example/", 1).kind(), Kind::connect);
}

TEST_F(Proxies, ThatAreNotThere) {
    ScriptedServer proxy{{}, ScriptedServer::Listen::later};
    use(proxy);
    const TransportError error = failing("https://api.example/", 1);
    EXPECT_EQ(error.kind(), Kind::connect);
    EXPECT_THAT(error.what(),
                HasSubstr(fmt::format("api.example:443: proxy 127.0.0.1:{}: cannot connect", proxy.port())));
}

TEST_F(Proxies, AreNotAskedForLoopback) {
    ScriptedServer proxy{{}};
    ScriptedServer server{{answers({ok})}};
    use(proxy);
    EXPECT_EQ(get(server.url()).body, "fine");
    EXPECT_EQ(proxy.connections(), 0);
}

TEST(ClientSettings, ThatCannotWorkAreRefused) {
    testing::ManualClock clock{testing::start_of_test};
    ClientSettings settings;
    settings.ca_file = "/nonexistent/ca.pem";
    EXPECT_THROW((Client{clock, settings}), std::runtime_error);
    settings = {};
    settings.proxy = "socks5://x";
    EXPECT_THROW((Client{clock, settings}), std::invalid_argument);
    settings = {};
    settings.user_agent = "a\r\nb: c";
    EXPECT_THROW((Client{clock, settings}), std::invalid_argument);
}

}  // namespace
}  // namespace heiasync::http
