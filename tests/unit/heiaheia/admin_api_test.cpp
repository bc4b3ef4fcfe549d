#include "heiaheia/admin_api.hpp"

#include "simulator/simulator.hpp"
#include "support/manual_clock.hpp"
#include "support/run_awaitable.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace heiasync::heiaheia {
namespace {

namespace asio = boost::asio;
using heiasync::testing::run;
using simulator::Fault;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const core::Instant noon = core::parse_instant("2026-06-01T09:00:00Z");

simulator::Options options() {
    simulator::Options options;
    options.organisations = 60;
    options.now = noon;
    return options;
}

/// The real client against the simulator, on a loop of its own.
class Calls : public ::testing::Test {
protected:
    void start(simulator::Options with) {
        server_ = std::make_unique<simulator::Simulator>(std::move(with));
        http::ClientSettings settings;
        settings.retry.attempts = 2;
        client_ = std::make_unique<http::Client>(clock_, settings);
        api_ = std::make_unique<AdminApi>(*client_, clock_, api_settings());
    }

    [[nodiscard]] AdminApiSettings api_settings() const {
        const simulator::Credentials& credentials = server_->options().credentials;
        AdminApiSettings settings;
        settings.base_url = server_->base_url();
        settings.email = credentials.email;
        settings.client_id = credentials.client_id;
        settings.client_secret = core::Secret{credentials.client_secret};
        settings.magic_token = core::Secret{credentials.magic_token};
        settings.size_classes = {50, 10000};
        settings.per_page = 20;
        return settings;
    }

    void use(AdminApiSettings settings) { api_ = std::make_unique<AdminApi>(*client_, clock_, std::move(settings)); }

    template <class Value>
    Value await(asio::awaitable<Value> work) {
        return run(loop_, std::move(work));
    }

    /// The ids that the listing should have.
    std::vector<std::int64_t> listed_ids() {
        std::vector<std::int64_t> ids;
        for (const auto& organisation : server_->world().organisations(noon)) {
            if (organisation.size_class != 20) {
                ids.push_back(organisation.id);
            }
        }
        return ids;
    }

    static std::vector<std::int64_t> ids_of(const OrganisationListing& listing) {
        std::vector<std::int64_t> ids;
        for (const auto& organisation : listing.organisations) {
            ids.push_back(organisation.id);
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    std::size_t token_requests() {
        const auto requests = server_->requests();
        return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [](const auto& request) {
            return request.operation == simulator::Operation::token;
        }));
    }

    void fail(Fault::Kind kind, simulator::Operation operation, std::optional<unsigned> times = std::nullopt,
              unsigned after = 0, unsigned status = 0) {
        Fault fault;
        fault.kind = kind;
        fault.operation = operation;
        fault.times = times;
        fault.after = after;
        fault.status = status;
        server_->fail(fault);
    }

    AdminApi& api() { return *api_; }
    simulator::Simulator& server() { return *server_; }
    heiasync::testing::ManualClock& clock() { return clock_; }

private:
    asio::io_context loop_;
    heiasync::testing::ManualClock clock_{noon};
    std::unique_ptr<simulator::Simulator> server_;
    std::unique_ptr<http::Client> client_;
    std::unique_ptr<AdminApi> api_;
};

TEST_F(Calls, ListEveryOrganisationOfTheSizeClassesOnManyPages) {
    start(options());
    const auto answer = await(api().list_organisations());
    EXPECT_TRUE(answer.value.complete);
    EXPECT_EQ(ids_of(answer.value), listed_ids());
    EXPECT_EQ(answer.received_at, noon);
    EXPECT_EQ(token_requests(), 1U);
    EXPECT_THAT(server().violations(), IsEmpty());
}

TEST_F(Calls, ListEverythingWhereTheServerCapsPagesBelowWhatWasAsked) {
    simulator::Options capped = options();
    capped.page_cap = 7;
    start(std::move(capped));
    EXPECT_EQ(ids_of(await(api().list_organisations()).value), listed_ids());
}

TEST_F(Calls, ListNothingTwiceWhereItemsShiftBetweenPages) {
    start(options());
    fail(Fault::Kind::shift_items, simulator::Operation::organisations);
    EXPECT_EQ(ids_of(await(api().list_organisations()).value), listed_ids());
}

TEST_F(Calls, GoOnWithTheFirstPagesWhereALaterOneFails) {
    start(options());
    fail(Fault::Kind::status, simulator::Operation::organisations, std::nullopt, 1, 500);
    const auto answer = await(api().list_organisations());
    EXPECT_FALSE(answer.value.complete);
    EXPECT_EQ(answer.value.organisations.size(), 20U);
    EXPECT_EQ(answer.value.http_status, 500);
    EXPECT_THAT(answer.value.error.value_or(""), HasSubstr("GET /admin/v1/documents/organisations: 500"));
}

TEST_F(Calls, RenewADeadTokenOnceAndRepeatTheRequest) {
    start(options());
    await(api().list_organisations());
    server().expire_tokens();
    const std::int64_t id = listed_ids().front();
    const auto answer = await(api().usage_stats(id, ""));
    EXPECT_EQ(token_requests(), 2U);
    EXPECT_EQ(answer.value.stats.total_membership_count, server().world().stats(id, "", noon)->total_membership_count);
}

TEST_F(Calls, GiveUpWhereTheNewTokenIsDeadToo) {
    start(options());
    fail(Fault::Kind::status, simulator::Operation::stats, std::nullopt, 0, 401);
    try {
        await(api().usage_stats(listed_ids().front(), ""));
        FAIL() << "no exception";
    } catch (const CredentialsRejected&) {
        FAIL() << "the credentials were fine";
    } catch (const ApiError& error) {
        EXPECT_EQ(error.status(), 401);
    }
    EXPECT_EQ(token_requests(), 2U);
}

TEST_F(Calls, ReportRejectedCredentials) {
    start(options());
    AdminApiSettings wrong = api_settings();
    wrong.magic_token = core::Secret{"not the token"};
    use(std::move(wrong));
    EXPECT_THROW(await(api().list_organisations()), CredentialsRejected);
}

TEST_F(Calls, KeepTheEarlierTokenWhereNoneIsGivenAndAskForAnotherOneTheNextTime) {
    for (const unsigned status : {500U, 503U, 403U}) {
        start(options());
        await(api().authenticate());
        fail(Fault::Kind::status, simulator::Operation::token, std::nullopt, 0, status);
        await(api().authenticate());
        EXPECT_THAT(api().kept_token().value_or(""), HasSubstr(fmt::format("POST /oauth/token: {}", status)));
        EXPECT_TRUE(await(api().list_organisations()).value.complete);
        server().clear_faults();
        await(api().authenticate());
        EXPECT_EQ(api().kept_token(), std::nullopt);
    }
}

TEST_F(Calls, KeepNoEarlierTokenWhereTheSecretsAreWrongOrItIsThirteenDaysOld) {
    for (const unsigned status : {400U, 401U}) {
        start(options());
        await(api().authenticate());
        fail(Fault::Kind::status, simulator::Operation::token, std::nullopt, 0, status);
        EXPECT_THROW(await(api().authenticate()), CredentialsRejected);
    }
    simulator::Options follows = options();
    start(std::move(follows));
    AdminApiSettings settings = api_settings();
    settings.send_simulated_time = true;
    use(std::move(settings));
    await(api().authenticate());
    fail(Fault::Kind::status, simulator::Operation::token, std::nullopt, 0, 500);
    clock().advance(std::chrono::days{13} - std::chrono::minutes{1});
    EXPECT_NO_THROW(await(api().authenticate()));
    clock().advance(std::chrono::minutes{1});
    EXPECT_THROW(await(api().authenticate()), ApiError);
}

TEST_F(Calls, AreGivenUpAfterFiveInARowThatFoundNoServer) {
    start(options());
    await(api().authenticate());
    fail(Fault::Kind::status, simulator::Operation::stats, std::nullopt, 0, 503);
    const std::int64_t id = listed_ids().front();
    for (int call = 0; call < 5; ++call) {
        EXPECT_THROW(await(api().usage_stats(id, "")), ApiError);
    }
    const auto stats_requests =
        std::ranges::count(server().requests(), simulator::Operation::stats, &simulator::Request::operation);
    EXPECT_EQ(stats_requests, 2 + 4) << "as often as the settings say, then once each";
    server().clear_faults();
    EXPECT_THROW(await(api().usage_stats(id, "")), ApiUnavailable);
    EXPECT_THROW(await(api().authenticate()), ApiUnavailable);
    api().forget_outages();
    EXPECT_NO_THROW(await(api().authenticate()));
    EXPECT_NO_THROW(await(api().usage_stats(id, "")));
}

TEST_F(Calls, AreNotGivenUpWhileSomeAreAnswered) {
    start(options());
    await(api().authenticate());
    fail(Fault::Kind::drop, simulator::Operation::stats);
    const std::int64_t id = listed_ids().front();
    for (int call = 0; call < 8; ++call) {
        EXPECT_THROW(await(api().usage_stats(id, "")), http::TransportError);
        EXPECT_NO_THROW(await(api().list_reports(id)));
    }
}

TEST_F(Calls, EndWhereTheClocksAreMoreThanTenMinutesApart) {
    for (const int sign : {1, -1}) {
        simulator::Options skewed = options();
        skewed.date_skew = sign * std::chrono::seconds{601};
        start(std::move(skewed));
        EXPECT_THROW(await(api().authenticate()), ClockSkew);
        simulator::Options nearly = options();
        nearly.date_skew = sign * std::chrono::seconds{599};
        start(std::move(nearly));
        EXPECT_NO_THROW(await(api().authenticate()));
    }
}

TEST_F(Calls, AskStatsOfOneBusinessId) {
    start(options());
    for (const auto& organisation : server().world().organisations(noon)) {
        for (const auto& business_id : organisation.business_ids) {
            if (business_id.mapped && organisation.size_class != 20) {
                const auto answer = await(api().usage_stats(organisation.id, business_id.id));
                EXPECT_EQ(answer.value.stats.total_membership_count,
                          server().world().stats(organisation.id, business_id.id, noon)->total_membership_count);
                return;
            }
        }
    }
    FAIL() << "the world has no mapped business id";
}

TEST_F(Calls, SayWhichCallFailedWithWhichCodeAndNeverWhichId) {
    start(options());
    try {
        await(api().usage_stats(987654321, ""));
        FAIL() << "no exception";
    } catch (const ApiError& error) {
        EXPECT_EQ(error.operation(), Operation::usage_stats);
        EXPECT_THAT(error.what(), HasSubstr("GET /admin/v1/documents/organisations/{id}/stats: 40"));
        EXPECT_THAT(error.what(), Not(HasSubstr("987654321")));
        EXPECT_FALSE(error.code().empty());
    }
}

TEST_F(Calls, ListOnlyViewedReportsAndFetchTheirDocumentsWithoutAToken) {
    start(options());
    std::size_t documents = 0;
    for (const std::int64_t id : listed_ids()) {
        const auto listing = await(api().list_reports(id));
        for (const auto& report : listing.value.reports) {
            EXPECT_TRUE(report.viewed);
            const auto document = await(api().report_data(report.data_instance_id));
            EXPECT_GT(document.value.size, 0U);
            ++documents;
        }
    }
    EXPECT_GT(documents, 10U);
    EXPECT_THAT(server().violations(), IsEmpty());
}

TEST_F(Calls, SendTheDatesOfThePeriodInclusively) {
    start(options());
    for (const std::int64_t id : listed_ids()) {
        const auto stats = server().world().stats(id, "", noon);
        if (stats->hh_core_accepted_membership_count.value_or(0) >= 5) {
            const auto answer =
                await(api().energy_levels(id, "", core::parse_date("2026-05-01"), core::parse_date("2026-05-31")));
            EXPECT_GT(answer.value.size, 0U);
            const auto requests = server().requests();
            EXPECT_EQ(requests.back().query.at("start_date"), "2026-05-01");
            EXPECT_EQ(requests.back().query.at("end_date"), "2026-05-31");
            return;
        }
    }
    FAIL() << "nobody passes the gate";
}

TEST_F(Calls, WarnOfATokenThatMayDoMoreThanRead) {
    simulator::Options wide = options();
    wide.scope = "admin_api";
    start(std::move(wide));
    await(api().list_organisations());
    EXPECT_EQ(api().wider_scope(), "admin_api");
}

TEST_F(Calls, SendTheSimulatedTimeInARehearsal) {
    simulator::Options elsewhere = options();
    elsewhere.now = core::parse_instant("2020-01-01T00:00:00Z");
    start(std::move(elsewhere));
    AdminApiSettings settings = api_settings();
    settings.send_simulated_time = true;
    use(std::move(settings));
    await(api().list_organisations());
    EXPECT_EQ(server().requests().back().at, noon);
}

}  // namespace
}  // namespace heiasync::heiaheia
