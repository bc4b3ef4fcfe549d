#include "simulator/simulator.hpp"

#include "simulator/encoding.hpp"
#include "simulator/raw_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace heiasync::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view now_text = "2026-07-01T04:30:00+03:00";
const core::Instant now = core::parse_instant(now_text);

rapidjson::Document parse(const RawAnswer& answer) {
    rapidjson::Document document;
    document.Parse(answer.body.data(), answer.body.size());
    EXPECT_FALSE(document.HasParseError());
    return document;
}

std::string token_request(const Credentials& credentials, std::string_view magic_token) {
    return fmt::format(
        R"({{"grant_type":"magic_token","email":"{}","magic_token":"{}","client_id":"{}","client_secret":"{}"}})",
        credentials.email, magic_token, credentials.client_id, credentials.client_secret);
}

std::string path(std::int64_t organisation, std::string_view rest) {
    return fmt::format("/admin/v1/documents/organisations/{}/{}", organisation, rest);
}

std::string full_data(const Report& report) {
    return fmt::format("/reports/v1/documents/reports/{}/full_data", report.data_instance_id);
}

/// Of a call that is about the report, or about its organisation.
std::string target(Operation operation, const Report& report) {
    switch (operation) {
        case Operation::token:
            return "/oauth/token";
        case Operation::organisations:
            return "/admin/v1/documents/organisations";
        case Operation::stats:
            return path(report.organisation_id, "stats");
        case Operation::energy_levels:
            return path(report.organisation_id, "energy_levels?start_date=2026-06-01&end_date=2026-06-30");
        case Operation::reports:
            return path(report.organisation_id, "reports?viewed=true");
        default:
            return full_data(report);
    }
}

/// A simulator whose clock stands at `now`, and a client that has a token of it.
class Session {
public:
    explicit Session(Options options = {}) : simulator{prepare(std::move(options))}, client{simulator.port()} {
        log_in();
    }

    void log_in() {
        const auto& wanted = simulator.options().credentials;
        const auto answer = client.post("/oauth/token", token_request(wanted, wanted.magic_token));
        token = parse(answer)["access_token"].GetString();
    }

    RawAnswer get(std::string_view target, RawClient::Fields fields = {}) {
        if (!target.starts_with("/reports/")) {
            fields.emplace("Authorization", "Bearer " + token);
        }
        return client.get(target, fields);
    }

    std::vector<std::int64_t> ids(std::string_view query) {
        const auto page = parse(get(fmt::format("/admin/v1/documents/organisations?{}", query)));
        std::vector<std::int64_t> found;
        for (const auto& item : page["items"].GetArray()) {
            found.push_back(item["id"].GetInt64());
        }
        return found;
    }

    /// One call of an operation; it is about the report, and about its organisation.
    RawAnswer call(Operation operation, const Report& report) {
        const auto& wanted = simulator.options().credentials;
        return operation == Operation::token ? client.post("/oauth/token", token_request(wanted, wanted.magic_token))
                                             : get(target(operation, report));
    }

    /// The first organisation that satisfies the condition.
    template <class Condition>
    Organisation organisation(Condition condition) {
        for (auto& candidate : simulator.world().organisations(now)) {
            if (condition(candidate)) {
                return candidate;
            }
        }
        throw std::logic_error{"the world has no such organisation"};
    }

    std::optional<std::int64_t> accepted(const Organisation& organisation) {
        return simulator.world().stats(organisation.id, {}, now)->hh_core_accepted_membership_count;
    }

    Report viewed_report() {
        for (const auto& candidate : simulator.world().organisations(now)) {
            for (const auto& report : simulator.world().reports(candidate.id, now)) {
                if (report.viewed) {
                    return report;
                }
            }
        }
        throw std::logic_error{"the world has no viewed report"};
    }

    std::vector<Violation::Kind> violations() {
        std::vector<Violation::Kind> kinds;
        for (const auto& violation : simulator.violations()) {
            kinds.push_back(violation.kind);
        }
        return kinds;
    }

    Simulator simulator;
    RawClient client;
    std::string token;

private:
    static Options prepare(Options options) {
        options.organisations = std::min<std::size_t>(options.organisations, 60);
        if (!options.now) {
            options.now = now;
        }
        return options;
    }
};

void expect_refused(const RawAnswer& answer, unsigned status, std::string_view code) {
    EXPECT_EQ(answer.status, status);
    const auto body = parse(answer);
    ASSERT_TRUE(body.IsObject() && body.HasMember("error"));
    EXPECT_EQ(body["error"].GetString(), code);
}

TEST(Token, IsGivenForTheRightCredentialsOnly) {
    Session session;
    const auto& credentials = session.simulator.options().credentials;
    expect_refused(session.client.post("/oauth/token", token_request(credentials, "another")), 403, "unknown_error");
    expect_refused(session.client.post("/oauth/token", "{"), 400, "invalid_param");
    expect_refused(session.client.post("/oauth/token", R"({"grant_type": "magic_token"})"), 400, "missing_param");
    const auto answer = session.client.post("/oauth/token", token_request(credentials, credentials.magic_token));
    const auto token = parse(answer);
    EXPECT_STREQ(token["scope"].GetString(), "read_only_admin_api");
    EXPECT_STREQ(token["token_type"].GetString(), "bearer");
    EXPECT_EQ(token["created_at"].GetInt64(), 1782869400);
}

TEST(Token, DiesWithTimeAndWithUse) {
    Options options;
    options.token_requests = 2;
    Session session{options};
    const auto stats = path(session.simulator.world().organisations(now).front().id, "stats");
    EXPECT_EQ(session.get(stats).status, 200U);
    EXPECT_EQ(session.get(stats, {{"X-Simulated-Time", "2026-07-15T04:30:00+03:00"}}).status, 200U);
    expect_refused(session.get(stats), 401, "unknown_error");
    session.log_in();
    expect_refused(session.get(stats, {{"X-Simulated-Time", "2026-07-15T04:30:01+03:00"}}), 401, "unknown_error");
    session.log_in();
    session.simulator.expire_tokens();
    expect_refused(session.get(stats), 401, "unknown_error");
}

TEST(Token, IsTakenFromHeaderAndQueryUnlessToldOtherwise) {
    const auto statuses = [](TokenPlace place) {
        Options options;
        options.token_place = place;
        Session session{options};
        const auto stats = path(session.simulator.world().organisations(now).front().id, "stats");
        return std::pair{session.get(stats).status,
                         session.client.get(fmt::format("{}?access_token={}", stats, session.token)).status};
    };
    EXPECT_EQ(statuses(TokenPlace::both), (std::pair{200U, 200U}));
    EXPECT_EQ(statuses(TokenPlace::header), (std::pair{200U, 401U}));
    EXPECT_EQ(statuses(TokenPlace::query), (std::pair{401U, 200U}));
}

TEST(Token, ReadsOnly) {
    Session session;
    const auto answer = session.client.post(
        fmt::format("/admin/v1/documents/organisations?access_token={}", session.token), R"({"name": "Uusi"})");
    expect_refused(answer, 403, "no_org_access");
    EXPECT_THAT(session.violations(), ElementsAre(Violation::Kind::write));
}

TEST(Listing, IsPagedAndCappedAndOrderedById) {
    Options options;
    options.page_cap = 25;
    Session session{options};
    const auto all = session.simulator.world().organisations(now);
    std::vector<std::int64_t> seen;
    for (int page = 1; page <= 4; ++page) {
        const auto found = session.ids(fmt::format("page={}&per_page=500", page));
        EXPECT_LE(found.size(), 25U);
        seen.insert(seen.end(), found.begin(), found.end());
    }
    std::vector<std::int64_t> expected;
    std::ranges::transform(all, std::back_inserter(expected), &Organisation::id);
    EXPECT_EQ(seen, expected);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(session.ids("").size(), 20U) << "the default";
    for (const auto* query : {"page=0", "per_page=0", "page=x", "size_classes=51", "total_required=yes"}) {
        expect_refused(session.get(fmt::format("/admin/v1/documents/organisations?{}", query)), 400, "invalid_param");
    }
}

TEST(Listing, TellsItsTotalOnlyWhereAsked) {
    Session session;
    EXPECT_TRUE(parse(session.get("/admin/v1/documents/organisations"))["total"].IsNull());
    const auto listing = parse(session.get("/admin/v1/documents/organisations?total_required=true"));
    EXPECT_EQ(listing["total"].GetUint64(), session.simulator.world().organisations(now).size());
}

TEST(Listing, FiltersBySizeClassInTheFormsItHonours) {
    const auto found = [](ListForm form, std::string_view query) {
        Options options;
        options.size_classes = form;
        Session session{options};
        return session.ids(fmt::format("per_page=500&{}", query)).size();
    };
    const World world{1, 60};
    const auto organisations = world.organisations(now);
    const auto small = static_cast<std::size_t>(std::ranges::count(organisations, 20, &Organisation::size_class));
    ASSERT_GT(small, 0U);
    EXPECT_EQ(found(ListForm::both, "size_classes=50,10000"), organisations.size() - small);
    EXPECT_EQ(found(ListForm::both, "size_classes=50&size_classes=10000"), organisations.size() - small);
    EXPECT_EQ(found(ListForm::both, "size_classes=20"), small);
    EXPECT_EQ(found(ListForm::comma, "size_classes=50&size_classes=10000"), organisations.size());
    EXPECT_EQ(found(ListForm::repeated, "size_classes=50,10000"), organisations.size());
}

TEST(Stats, AreWhatTheWorldSaysInEitherShape) {
    for (const auto shape : {StatsShape::wrapped, StatsShape::bare}) {
        Options options;
        options.stats_shape = shape;
        Session session{options};
        const auto organisation = session.organisation([](const auto& o) { return o.multi_business_id; });
        const auto& business_id = organisation.business_ids.front().id;
        const auto& world = session.simulator.world();
        EXPECT_EQ(session.get(path(organisation.id, "stats")).body,
                  stats_document(world.stats(organisation.id, {}, now).value(), shape));
        EXPECT_EQ(session.get(path(organisation.id, "stats?business_id=" + business_id)).body,
                  stats_document(world.stats(organisation.id, business_id, now).value(), shape));
    }
}

TEST(Stats, OfABusinessIdWithoutUsersOrAHiddenOrganisationAreRefused) {
    Session session;
    const auto organisation =
        session.organisation([](const auto& o) { return o.multi_business_id && !o.business_ids.back().mapped; });
    expect_refused(session.get(path(organisation.id, "stats?business_id=" + organisation.business_ids.back().id)), 400,
                   "invalid_param");
    session.simulator.world().hide(organisation.id);
    expect_refused(session.get(path(organisation.id, "stats")), 403, "no_org_access");
    expect_refused(session.get(path(organisation.id, "statistics")), 404, "not_found");
    expect_refused(session.client.get(path(organisation.id, "stats")), 401, "unknown_error");
}

TEST(EnergyLevels, NeedTwoDates) {
    Session session;
    const auto id = session.organisation([&](const auto& o) { return session.accepted(o) > 5; }).id;
    expect_refused(session.get(path(id, "energy_levels?start_date=2026-06-01")), 400, "missing_param");
    expect_refused(session.get(path(id, "energy_levels?start_date=2026-06-31&end_date=2026-06-30")), 400,
                   "invalid_param");
    expect_refused(session.get(path(id, "energy_levels?start_date=2026-06-02&end_date=2026-06-01")), 400,
                   "invalid_param");
    const auto answer = session.get(path(id, "energy_levels?start_date=2026-06-01&end_date=2026-06-30"));
    EXPECT_EQ(answer.body, energy_levels_document(session.simulator.world(), id, {},
                                                  {date::year{2026} / 6 / 1, date::year{2026} / 6 / 30}, now));
    EXPECT_THAT(session.violations(), IsEmpty());
}

TEST(Reports, AreListedByTheirState) {
    Session session;
    for (const auto& organisation : session.simulator.world().organisations(now)) {
        auto reports = session.simulator.world().reports(organisation.id, now);
        std::erase_if(reports, [](const Report& report) { return !report.viewed; });
        EXPECT_EQ(session.get(path(organisation.id, "reports?viewed=true&per_page=500")).body,
                  reports_document(reports, std::nullopt));
    }
    EXPECT_THAT(session.violations(), IsEmpty());
}

TEST(FullData, NeedsNoTokenAndCanHaveMoved) {
    Options options;
    options.full_data_location = "/simulator/moved{target}";
    Session session{options};
    const auto report = session.viewed_report();
    const auto redirect = session.client.get(full_data(report));
    EXPECT_EQ(redirect.status, 302U);
    EXPECT_EQ(redirect.fields.at("Location"), "/simulator/moved" + full_data(report));
    EXPECT_EQ(session.client.get(redirect.fields.at("Location")).body,
              report_document(session.simulator.world(), report));
    expect_refused(session.client.get("/simulator/moved/reports/v1/documents/reports/unknown/full_data"), 404,
                   "not_found");
}

TEST(Transport, CompressesLargeBodiesWhereTheClientAcceptsIt) {
    Session session;
    const auto report = session.viewed_report();
    const auto plain = session.client.get(full_data(report));
    const auto compressed = session.client.get(full_data(report), {{"Accept-Encoding", "deflate, gzip"}});
    EXPECT_EQ(compressed.fields.at("Content-Encoding"), "gzip");
    EXPECT_EQ(compressed.body, gzip(plain.body));
    EXPECT_FALSE(session.get("/admin/v1/documents/organisations?per_page=1", {{"Accept-Encoding", "gzip"}})
                     .fields.contains("Content-Encoding"));
    EXPECT_EQ(session.client.connections(), 1) << "kept alive";
}

TEST(Transport, SendsChunksWhereToldSo) {
    Options options;
    options.chunked = true;
    Session session{options};
    const auto report = session.viewed_report();
    const auto answer = session.client.get(full_data(report));
    EXPECT_EQ(answer.fields.at("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer.body, report_document(session.simulator.world(), report));
}

TEST(Transport, DatesAnswersByTheTimeItGoesBy) {
    Options options;
    options.date_skew = std::chrono::minutes{11};
    Session session{options};
    EXPECT_EQ(session.get("/admin/v1/documents/organisations").fields.at("Date"), "Wed, 01 Jul 2026 01:41:00 GMT");
    EXPECT_EQ(session.get("/admin/v1/documents/organisations", {{"X-Simulated-Time", "2026-03-29T00:59:59Z"}})
                  .fields.at("Date"),
              "Sun, 29 Mar 2026 01:10:59 GMT");
    expect_refused(session.get("/admin/v1/documents/organisations", {{"X-Simulated-Time", "yesterday"}}), 400,
                   "invalid_param");
}

TEST(Transport, ClosesKeptConnectionsWithoutSayingSo) {
    Options options;
    options.connection_requests = 2;
    Session session{options};  // the token call is the first
    EXPECT_TRUE(session.get("/admin/v1/documents/organisations").complete);
    session.client.send("/admin/v1/documents/organisations");
    EXPECT_FALSE(session.client.receive().complete);
}

TEST(Tls, IsVerifiedAgainstTheAuthorityAndFailsWhereItShould) {
    const auto error = [](CertificateFlaw flaw) {
        Options options;
        options.organisations = 1;
        options.tls = flaw;
        const Simulator simulator{options};
        EXPECT_THAT(simulator.base_url(), testing::StartsWith("https://localhost:"));
        return tls_handshake_error(simulator.port(), simulator.ca_pem(), "localhost");
    };
    EXPECT_EQ(error(CertificateFlaw::none), "");
    EXPECT_THAT(error(CertificateFlaw::expired), HasSubstr("expired"));
    EXPECT_THAT(error(CertificateFlaw::self_signed), HasSubstr("self"));
    EXPECT_NE(error(CertificateFlaw::wrong_host), "");
}

TEST(Violations, AreFoundInRequestsThatNoClientShouldMake) {
    using Kind = Violation::Kind;
    Session session;
    const auto many = session.organisation([&](const auto& o) { return session.accepted(o) > 5; }).id;
    const auto few = session.organisation([&](const auto& o) { return session.accepted(o) < 5; }).id;
    const auto unknown = session.organisation([&](const auto& o) { return !session.accepted(o); }).id;
    const auto report = session.viewed_report();
    const auto seen = [&](auto... expected) {
        EXPECT_THAT(session.violations(), ElementsAre(expected...));
        session.simulator.clear_observations();
    };
    session.get(path(many, "energy_levels?start_date=2026-06-01&end_date=2026-06-30"));
    seen();
    session.get(path(many, "energy_levels?start_date=2026-06-02&end_date=2026-07-01"));
    seen(Kind::energy_levels_of_open_period);
    session.get(path(few, "energy_levels?start_date=2026-06-01&end_date=2026-06-30"));
    seen(Kind::energy_levels_below_gate);
    session.get(path(unknown, "energy_levels?start_date=2026-06-01&end_date=2026-06-30"));
    seen(Kind::energy_levels_below_gate);
    session.get(path(many, "reports"));
    seen(Kind::reports_not_restricted_to_viewed);
    session.client.get(full_data(report), {{"Authorization", "Bearer x"}});
    seen(Kind::token_on_full_data);
    session.client.get(full_data(report) + "?access_token=x");
    seen(Kind::token_on_full_data);
    session.client.get(full_data(report));
    session.client.get(full_data(report));
    seen(Kind::report_downloaded_twice);
    session.client.get("/admin/v1/documents/reports/x/full_data");
    seen(Kind::unknown_path);
    session.client.post("/oauth/token?client_secret=x", "{}");
    seen(Kind::secret_in_query);
}

TEST(Violations, LetARepeatedDownloadPassAfterABrokenOneAndOnAnotherDay) {
    Session session;
    const auto report = session.viewed_report();
    session.simulator.fail(parse_fault("kind=truncate,operation=full_data,times=1"));
    EXPECT_FALSE(session.client.get(full_data(report)).complete);
    EXPECT_TRUE(session.client.get(full_data(report)).complete);
    session.client.get(full_data(report), {{"X-Simulated-Time", "2026-07-02T04:30:00+03:00"}});
    EXPECT_THAT(session.violations(), IsEmpty());
}

TEST(Violations, CountRequestsThatOverlap) {
    Options options;
    options.organisations = 1;
    options.latency = std::chrono::hours{1};
    const Simulator simulator{options};
    RawClient one{simulator.port()};
    RawClient other{simulator.port()};
    one.send("/admin/v1/documents/organisations");
    other.send("/admin/v1/documents/organisations");
    simulator.wait_for_requests(2);
    ASSERT_EQ(simulator.violations().size(), 1U);
    EXPECT_EQ(simulator.violations().front().kind, Violation::Kind::concurrent_requests);
    EXPECT_EQ(simulator.max_in_flight(), 2U);
}

TEST(Violations, NameNeitherTokenNorDataInstance) {
    Session session;
    const auto report = session.viewed_report();
    session.client.get(full_data(report) + "?access_token=" + session.token);
    const auto summary = session.client.get("/simulator/summary");
    const auto document = parse(summary);
    EXPECT_EQ(document["violations"].Size(), 1U);
    EXPECT_EQ(document["requests"]["full_data"].GetInt(), 1);
    EXPECT_THAT(document["violations"][0]["text"].GetString(), HasSubstr(fmt::format("report {}", report.id)));
    EXPECT_THAT(summary.body, testing::Not(HasSubstr(report.data_instance_id)));
    EXPECT_THAT(summary.body, testing::Not(HasSubstr(session.token)));
}

TEST(Observation, RemembersWhatWasAskedFor) {
    Session session;
    const auto organisation = session.organisation([](const auto& o) { return o.multi_business_id; });
    session.simulator.clear_observations();
    session.get(path(organisation.id, "stats?business_id=" + organisation.business_ids.front().id));
    const auto requests = session.simulator.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].operation, Operation::stats);
    EXPECT_EQ(requests[0].organisation, organisation.id);
    EXPECT_EQ(requests[0].business_id, organisation.business_ids.front().id);
    EXPECT_TRUE(requests[0].token_in_header);
    EXPECT_FALSE(requests[0].token_in_query);
    EXPECT_EQ(requests[0].at, now);
    EXPECT_EQ(requests[0].status, 200U);
}

struct FaultCase {
    const char* name;
    const char* fault;
    bool complete;
    unsigned status;
};

class Faults : public testing::TestWithParam<FaultCase> {};

constexpr std::array calls{Operation::token,         Operation::organisations, Operation::stats,
                           Operation::energy_levels, Operation::reports,       Operation::full_data};

TEST_P(Faults, HitTheCallTheyAreForAndOnlyIt) {
    for (const auto operation : calls) {
        SCOPED_TRACE(to_string(operation));
        Session session;
        const auto report = session.viewed_report();
        const auto expected = session.call(operation, report).body;
        session.simulator.fail(
            parse_fault(fmt::format("{},operation={},times=1", GetParam().fault, to_string(operation))));
        for (const auto other : calls) {
            if (other != operation) {
                EXPECT_EQ(session.call(other, report).status, 200U) << to_string(other);
            }
        }
        const auto answer = session.call(operation, report);
        EXPECT_EQ(answer.complete, GetParam().complete);
        EXPECT_EQ(answer.status, GetParam().status);
        EXPECT_NE(answer.body, expected);
        EXPECT_TRUE(session.simulator.requests().back().faulty);
        session.log_in();
        const auto again = session.call(operation, report);
        EXPECT_TRUE(again.complete);
        EXPECT_EQ(again.status, 200U);
        if (operation != Operation::token) {  // which is another one each time
            EXPECT_EQ(again.body, expected);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, Faults,
    testing::Values(FaultCase{"status", "status=503", true, 503},
                    FaultCase{"status_with_seconds", "status=503,retry_after=7", true, 503},
                    FaultCase{"status_with_date", "status=429,retry_after_date=7", true, 429},
                    FaultCase{"drop", "kind=drop", false, 0}, FaultCase{"reset", "kind=reset", false, 200},
                    FaultCase{"truncate", "kind=truncate", false, 200}, FaultCase{"garbage", "kind=garbage", false, 0},
                    FaultCase{"html", "kind=html", true, 200}, FaultCase{"empty", "kind=empty", true, 200},
                    FaultCase{"broken_gzip", "kind=broken_gzip", true, 200},
                    FaultCase{"cut_short", "kind=cut_short", true, 200},
                    FaultCase{"expired_token", "kind=expired_token", true, 401},
                    FaultCase{"redirect", "kind=redirect,location=http://127.0.0.1:1{target}", true, 302}),
    [](const auto& test) { return test.param.name; });

TEST(Fault, CarriesItsDetails) {
    Session session;
    session.simulator.fail(parse_fault("operation=stats,status=429,retry_after=7,body=slow down,times=1,after=1"));
    const auto stats = path(session.simulator.world().organisations(now).front().id, "stats");
    EXPECT_EQ(session.get(stats).status, 200U) << "lets the first pass";
    const auto answer = session.get(stats);
    EXPECT_EQ(answer.fields.at("Retry-After"), "7");
    EXPECT_EQ(answer.body, "slow down");
    EXPECT_EQ(session.get(stats).status, 200U);
    session.simulator.fail(parse_fault("kind=headers,header=X-Extra: 1,header=Age: 7"));
    EXPECT_EQ(session.get(stats).fields.at("X-Extra"), "1");
    EXPECT_EQ(session.get(stats).fields.at("Age"), "7");
}

TEST(Fault, HitsInItsTimeAndOnItsPage) {
    Session session;
    const auto status_of = [&](const std::string& page, core::Instant from, core::Instant until) {
        Fault fault;
        fault.page = "2";
        fault.from = from;
        fault.until = until;
        session.simulator.clear_faults();
        session.simulator.fail(fault);
        return session.get("/admin/v1/documents/organisations?page=" + page).status;
    };
    const std::chrono::microseconds moment{1};
    EXPECT_EQ(status_of("2", now, now + moment), 500U);
    EXPECT_EQ(status_of("1", now, now + moment), 200U);
    EXPECT_EQ(status_of("2", now + moment, now + 2 * moment), 200U);
    EXPECT_EQ(status_of("2", now - moment, now), 200U);
}

TEST(Fault, AsksForPatienceUntilADateOfItsOwnClock) {
    Options options;
    options.date_skew = std::chrono::minutes{1};
    Session session{options};
    session.simulator.fail(parse_fault("operation=organisations,status=503,retry_after_date=90"));
    const auto answer = session.get("/admin/v1/documents/organisations");
    EXPECT_EQ(answer.fields.at("Date"), "Wed, 01 Jul 2026 01:31:00 GMT");
    EXPECT_EQ(answer.fields.at("Retry-After"), "Wed, 01 Jul 2026 01:32:30 GMT");
}

TEST(Fault, RedirectsInALoopOrOnceToWhereTheAnswerIs) {
    Session session;
    const auto stats = path(session.simulator.world().organisations(now).front().id, "stats");
    const auto expected = session.get(stats).body;
    session.simulator.fail(parse_fault("kind=redirect,status=307"));
    const auto loop = session.get(stats);
    EXPECT_EQ(loop.status, 307U);
    EXPECT_EQ(loop.fields.at("Location"), stats);
    session.simulator.clear_faults();
    session.simulator.fail(parse_fault("kind=redirect,location=/simulator/moved{target}"));
    const auto moved = session.get(stats);
    EXPECT_EQ(moved.status, 302U);
    EXPECT_EQ(session.get(moved.fields.at("Location")).body, expected);
}

TEST(Fault, RepeatsAndShiftsItemsBetweenPages) {
    Session session;
    const auto straight = session.ids("page=1&per_page=10");
    const auto next = session.ids("page=2&per_page=10");
    session.simulator.fail(parse_fault("kind=shift_items,operation=organisations,times=2"));
    EXPECT_EQ(session.ids("page=1&per_page=10"), straight);
    const auto shifted = session.ids("page=2&per_page=10");
    EXPECT_EQ(shifted.front(), straight.back());
    EXPECT_EQ(shifted[1], next.front());
    session.simulator.fail(parse_fault("kind=duplicate_items,operation=organisations,times=1"));
    const auto doubled = session.ids("page=1&per_page=10");
    EXPECT_EQ(doubled.size(), 11U);
    EXPECT_EQ(doubled[0], doubled[1]);
}

TEST(Fault, HangsUntilTheClientGoesAndDripsByteByByte) {
    for (const auto operation : calls) {
        SCOPED_TRACE(to_string(operation));
        Session session;
        session.simulator.fail(parse_fault(fmt::format("kind=hang,operation={},times=1", to_string(operation))));
        session.simulator.fail(
            parse_fault(fmt::format("kind=drip,operation={},times=1,interval=0", to_string(operation))));
        const auto report = session.viewed_report();
        {
            RawClient impatient{session.simulator.port()};
            impatient.send(target(operation, report));
            session.simulator.wait_for_requests(2);
        }
        EXPECT_TRUE(session.call(operation, report).complete);
        EXPECT_EQ(session.simulator.max_in_flight(), 1U);
    }
}

TEST(Fault, IsReadFromTextOrRefusedWithASentence) {
    const auto fault =
        parse_fault("kind=drip,operation=full_data,organisation=12,business_id=1-2,page=3,interval=5,shift=-1");
    EXPECT_EQ(fault.page, "3");
    EXPECT_EQ(fault.kind, Fault::Kind::drip);
    EXPECT_EQ(fault.operation, Operation::full_data);
    EXPECT_EQ(fault.organisation, 12);
    EXPECT_EQ(fault.business_id, "1-2");
    EXPECT_EQ(fault.interval, std::chrono::milliseconds{5});
    EXPECT_EQ(fault.shift, -1);
    for (const auto* text : {"kind=nothing", "operation=stat", "organisation=x", "times=-1", "colour=red", "drop",
                             "header=X", "retry_after_date=soon"}) {
        EXPECT_THROW((void)parse_fault(text), std::invalid_argument) << text;
    }
}

TEST(Body, CanBeReplacedByteForByte) {
    Session session;
    const auto id = session.simulator.world().organisations(now).front().id;
    session.simulator.answer_with(Operation::stats, id, "", R"({"usage": {}})");
    EXPECT_EQ(session.get(path(id, "stats")).body, R"({"usage": {}})");
    EXPECT_NE(session.get(path(id, "reports?viewed=true")).body, R"({"usage": {}})");
}

TEST(Simulator, TellsOfARequestBeforeItAnswers) {
    std::vector<core::Instant> asked;
    Options options;
    options.on_request = [&asked](core::Instant at) { asked.push_back(at); };
    Session session{options};
    session.get("/admin/v1/documents/organisations");
    EXPECT_THAT(asked, testing::SizeIs(session.simulator.requests().size()));
    EXPECT_THAT(asked, testing::Each(now));
}

TEST(Simulator, MayBeAskedForTheTruthWhileItServes) {
    Session session;
    std::atomic<bool> done{false};
    std::thread reader{[&] {
        while (!done) {
            for (const auto& organisation : session.simulator.world().organisations(now)) {
                (void)session.simulator.world().reports(organisation.id, now);
            }
            (void)session.simulator.summary();
            session.simulator.world().rename(session.simulator.world().organisations(now).front().id, "Uusi");
        }
    }};
    const auto all = session.ids("per_page=500");
    for (const auto id : all) {
        EXPECT_EQ(session.get(path(id, "stats")).status, 200U);
        EXPECT_EQ(session.get(path(id, "reports?viewed=true")).status, 200U);
    }
    done = true;
    reader.join();
    EXPECT_THAT(session.violations(), IsEmpty());
}

}  // namespace
}  // namespace heiasync::simulator
