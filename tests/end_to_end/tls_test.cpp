#include "installation.hpp"
#include "proxy.hpp"
#include "secrecy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace heiasync::testing {

namespace {

using simulator::CertificateFlaw;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr auto date = "2026-06-15";

simulator::Options over_tls(CertificateFlaw flaw = CertificateFlaw::none) {
    auto options = small_world();
    options.tls = flaw;
    return options;
}

void trust(Installation& installation) {
    installation.config()["api"]["ca_file"] = installation.write("authority.pem", installation.api().ca_pem()).string();
}

std::string authority_of(const std::string& url) {
    return url.substr(url.find("://") + 3);
}

/// That nothing was said to the server, and that the one line which says why holds all of `texts`.
template <class... Text>
void expect_refused(const Installation& installation, const Outcome& outcome, const Text&... texts) {
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.err.substr(outcome.err.rfind("heiasyncd: ")),
                AllOf(HasSubstr(authority_of(installation.api().base_url())), HasSubstr(texts)...,
                      Not(HasSubstr("\nheiasyncd"))));
    EXPECT_THAT(installation.api().requests(), IsEmpty());
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "failed");
    EXPECT_THAT(installation.value("SELECT error FROM heiasync.sync_runs"), AllOf(HasSubstr(texts)...));
}

TEST(Tls, AnAuthorityOfOnesOwnIsTrustedByFileAndBecauseOfItAlone) {
    Installation installation{over_tls()};
    expect_refused(installation, installation.sync_on(date), "certificate", "unable to get local issuer certificate");

    trust(installation);
    const auto outcome = installation.sync_on(date);
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(difference(installation.truth_on(date).organisation_ids(),
                         installation.lines("SELECT organisation_id FROM heiasync.organisations")),
              "");
}

struct Flaw {
    const char* name;
    CertificateFlaw flaw;
    const char* text;
};

void PrintTo(const Flaw& flaw, std::ostream* stream) {
    *stream << flaw.name;
}

class TlsFlaws : public ::testing::TestWithParam<Flaw> {};

TEST_P(TlsFlaws, AreNamedAndNothingIsSaidToTheServer) {
    Installation installation{over_tls(GetParam().flaw)};
    trust(installation);
    expect_refused(installation, installation.sync_on(date), "certificate", GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(All, TlsFlaws,
                         ::testing::Values(Flaw{"wrong_host", CertificateFlaw::wrong_host, "hostname mismatch"},
                                           Flaw{"expired", CertificateFlaw::expired, "certificate has expired"},
                                           Flaw{"self_signed", CertificateFlaw::self_signed,
                                                "self-signed certificate"}),
                         [](const auto& flaw) { return flaw.param.name; });

TEST(Tls, AnOldProtocolIsNotSpoken) {
    auto options = over_tls();
    options.only_tls_1_1 = true;
    Installation installation{options};
    trust(installation);
    expect_refused(installation, installation.sync_on(date), "TLS: no handshake");
}

TEST(Tls, ARedirectDoesNotLeadOutOfIt) {
    Installation installation{over_tls()};
    trust(installation);
    const simulator::Simulator plain{small_world()};
    simulator::Fault fault;
    fault.kind = simulator::Fault::Kind::redirect;
    fault.operation = simulator::Operation::full_data;
    fault.location = plain.base_url() + "{target}";
    installation.api().fail(fault);
    const auto outcome = installation.sync_on(date);
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_THAT(plain.requests(), IsEmpty());
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports"), 0);
    EXPECT_EQ(
        installation.value("SELECT DISTINCT stream || ' ' || reason || ' ' || (error LIKE '%redirects from https "
                           "to http') FROM heiasync.sync_tasks WHERE status = 'failed' AND report_id IS NOT NULL"),
        "reports transport true");

    installation.api().clear_faults();
    EXPECT_EQ(installation.sync_on(date).exit_code, exit_code::done);
    EXPECT_EQ(difference(installation.truth_on(date).report_versions(),
                         installation.lines("SELECT organisation_id, report_id, generated_at FROM heiasync.reports")),
              "");
}

/// A server that is, by its name or address, not on this machine, as proxies are for such alone; and so without a
/// simulated time.
class BehindAProxy : public ::testing::Test {
protected:
    explicit BehindAProxy(const std::string& host = "api.example")
        : now{this_moment()}, installation{options(host, now)} {
        trust(installation);
        installation.config()["api"]["connect_timeout"] = "2s";
    }

    Outcome sync(const Environment& environment) { return installation.run({"sync"}, environment); }

    void expect_complete(const Outcome& outcome) const {
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        EXPECT_EQ(difference(Truth{installation.api().world(), now}.organisation_ids(),
                             installation.lines("SELECT organisation_id FROM heiasync.organisations")),
                  "");
    }

    core::Instant now;
    Installation installation;

private:
    static core::Instant this_moment() {
        return date::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }

    static simulator::Options options(const std::string& host, core::Instant at) {
        auto options = over_tls();
        options.organisations = 8;
        options.tls_host = host;
        options.now = at;
        return options;
    }
};

TEST_F(BehindAProxy, ATunnelLeadsThroughIt) {
    const Proxy proxy{installation.api().port()};
    expect_complete(sync({{"https_proxy", proxy.url()}}));
    const auto connect = fmt::format("CONNECT api.example:{} HTTP/1.1\r\n", installation.api().port());
    EXPECT_THAT(proxy.requests(), AllOf(SizeIs(1), Each(StartsWith(connect)))) << "one connection, for all requests";
}

TEST_F(BehindAProxy, TheSettingComesBeforeTheEnvironment) {
    const Proxy proxy{installation.api().port()};
    const Proxy other{installation.api().port()};
    installation.config()["api"]["proxy"] = proxy.url();
    expect_complete(sync({{"https_proxy", other.url()}, {"no_proxy", "*"}}));
    EXPECT_THAT(proxy.requests(), SizeIs(1));
    EXPECT_THAT(other.requests(), IsEmpty());
}

TEST_F(BehindAProxy, ItsPasswordIsForTheProxyAloneAndNeverPrinted) {
    const std::string password = "password-of-the-proxy-that-nobody-may-see";
    every_secret().add(password);
    const Proxy proxy{installation.api().port(), 407};
    installation.config()["log"]["level"] = "debug";
    const auto url = fmt::format("http://user:{}@127.0.0.1:{}", password, proxy.port());
    expect_refused(installation, sync({{"https_proxy", url}}), "407");
    EXPECT_THAT(proxy.requests(), Each(HasSubstr("\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZC1vZi10aGUt")));
}

TEST_F(BehindAProxy, OneThatRefusesIsNamed) {
    for (const auto status : {407U, 503U}) {
        const Proxy proxy{installation.api().port(), status};
        const auto outcome = sync({{"https_proxy", proxy.url()}});
        EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
        EXPECT_THAT(outcome.err,
                    HasSubstr(fmt::format("proxy {}: answered {} to CONNECT", authority_of(proxy.url()), status)));
        EXPECT_THAT(installation.api().requests(), IsEmpty());
        EXPECT_THAT(proxy.requests(), Not(IsEmpty()));
    }
    const Proxy works{installation.api().port()};
    expect_complete(sync({{"https_proxy", works.url()}}));
}

TEST_F(BehindAProxy, OneThatIsAwayIsNamed) {
    const auto gone = Proxy{installation.api().port()}.url();
    expect_refused(installation, sync({{"https_proxy", gone}}),
                   fmt::format("proxy {}: cannot connect", authority_of(gone)));
}

TEST_F(BehindAProxy, OneThatNeverAnswersIsGivenUp) {
    installation.config()["api"]["connect_timeout"] = "200ms";
    const Proxy proxy{installation.api().port(), 0};
    expect_refused(installation, sync({{"https_proxy", proxy.url()}}),
                   fmt::format("proxy {}: not connected within 200ms", authority_of(proxy.url())));
}

class NotBehindAProxy : public BehindAProxy {
protected:
    /// Which leads to this machine, and is no loopback address.
    NotBehindAProxy() : BehindAProxy{"0.0.0.0"} {}
};

TEST_F(NotBehindAProxy, WhatNoProxyNamesIsAskedDirectly) {
    const Proxy proxy{installation.api().port()};
    expect_complete(sync({{"https_proxy", proxy.url()}, {"no_proxy", "example.com, 0.0.0.0"}}));
    EXPECT_THAT(proxy.requests(), IsEmpty());
    expect_complete(sync({{"https_proxy", proxy.url()}, {"no_proxy", "example.com"}}));
    EXPECT_THAT(proxy.requests(), SizeIs(1)) << "and nothing else is";
}

TEST(Tls, AServerOfThisMachineHasNoProxy) {
    Installation installation{over_tls()};
    trust(installation);
    const Proxy proxy{installation.api().port()};
    installation.config()["api"]["proxy"] = proxy.url();
    const auto outcome = installation.run({"sync", "--simulated-time", after_slot(date), "--stream", "usage-stats"},
                                          {{"https_proxy", proxy.url()}});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(proxy.requests(), IsEmpty());
}

}  // namespace

}  // namespace heiasync::testing
