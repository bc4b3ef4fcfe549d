#include "heiaheia/probe.hpp"

#include "simulator/simulator.hpp"
#include "support/manual_clock.hpp"
#include "support/run_awaitable.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace heiasync::heiaheia {
namespace {

using namespace std::chrono_literals;
using Access = ProbeReport::Access;
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

/// The real client against the simulator.
class Probing : public ::testing::Test {
protected:
    void start(simulator::Options with) { server_ = std::make_unique<simulator::Simulator>(std::move(with)); }

    ProbeReport probe(const std::string& magic_token = simulator::Credentials{}.magic_token) {
        const simulator::Credentials& credentials = server_->options().credentials;
        AdminApiSettings settings;
        settings.base_url = server_->base_url() + "/";
        settings.email = credentials.email;
        settings.client_id = credentials.client_id;
        settings.client_secret = core::Secret{credentials.client_secret};
        settings.magic_token = core::Secret{magic_token};
        boost::asio::io_context loop;
        http::Client client{clock_, {}};
        auto report = run(loop, heiaheia::probe(client, settings));
        EXPECT_THAT(server_->violations(), IsEmpty());
        EXPECT_LE(server_->max_in_flight(), 1U);
        return report;
    }

    /// The listing's answer to the call after so many others: 0 is everything, 1 the token in the query, 2 the second
    /// page, 3 the list by comma, 4 the repeated one.
    void answer_listing(unsigned after, const std::string& body) {
        Fault fault;
        fault.operation = simulator::Operation::organisations;
        fault.after = after;
        fault.times = 1;
        fault.status = 200;
        fault.body = body;
        server_->fail(fault);
    }

    void fail(simulator::Operation operation, unsigned status) {
        Fault fault;
        fault.operation = operation;
        fault.status = status;
        server_->fail(fault);
    }

    simulator::Simulator& server() { return *server_; }

private:
    heiasync::testing::ManualClock clock_{noon};
    std::unique_ptr<simulator::Simulator> server_;
};

TEST_F(Probing, FindsOutEverythingBySevenRequests) {
    start(options());
    const ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::granted);
    EXPECT_EQ(report.error, std::nullopt);
    EXPECT_TRUE(report.has_token);
    EXPECT_EQ(report.scope, "read_only_admin_api");
    EXPECT_EQ(report.token_created_at, noon);
    EXPECT_EQ(report.token_in_header.answer, true);
    EXPECT_EQ(report.token_in_query.answer, true);
    EXPECT_EQ(report.stats_shape.answer, StatsShape::wrapped);
    EXPECT_EQ(report.comma_list.answer, ListFilter::honoured);
    EXPECT_EQ(report.repeated_list.answer, ListFilter::honoured);
    EXPECT_EQ(report.total.answer, Total::null);
    EXPECT_EQ(report.clock.answer, 0s);
    EXPECT_EQ(server().requests().size(), 7U);
}

TEST_F(Probing, TellsBareFiguresFromWrappedOnes) {
    simulator::Options bare = options();
    bare.stats_shape = simulator::StatsShape::bare;
    start(std::move(bare));
    EXPECT_EQ(probe().stats_shape.answer, StatsShape::bare);
}

TEST_F(Probing, TellsWhichListIsHonoured) {
    simulator::Options comma = options();
    comma.size_classes = simulator::ListForm::comma;
    start(std::move(comma));
    ProbeReport report = probe();
    EXPECT_EQ(report.comma_list.answer, ListFilter::honoured);
    EXPECT_EQ(report.repeated_list.answer, ListFilter::ignored);
    EXPECT_THAT(report.repeated_list.remark, HasSubstr("asked for 10000 and 50, organisations of 20 came too"));

    simulator::Options repeated = options();
    repeated.size_classes = simulator::ListForm::repeated;
    start(std::move(repeated));
    report = probe();
    EXPECT_EQ(report.comma_list.answer, ListFilter::ignored);
    EXPECT_EQ(report.repeated_list.answer, ListFilter::honoured);
}

TEST_F(Probing, SeesThatOnlyOneClassOfAListIsTaken) {
    start(options());
    answer_listing(3, R"({"items": [{"id": 1, "name": "One", "size_class": 50}], "total": null})");
    answer_listing(3, R"({"items": [], "total": null})");
    const ProbeReport report = probe();
    EXPECT_EQ(report.comma_list.answer, ListFilter::partly);
    EXPECT_THAT(report.comma_list.remark, HasSubstr("none of 10000 came"));
    EXPECT_EQ(report.repeated_list.answer, ListFilter::partly);
}

TEST_F(Probing, SeesThatAListIsRefused) {
    start(options());
    Fault fault;
    fault.operation = simulator::Operation::organisations;
    fault.after = 3;
    fault.times = 1;
    fault.status = 400;
    server().fail(fault);
    const ProbeReport report = probe();
    EXPECT_EQ(report.comma_list.answer, ListFilter::refused);
    EXPECT_THAT(report.comma_list.remark, HasSubstr("400"));
    EXPECT_EQ(report.repeated_list.answer, ListFilter::honoured);
    EXPECT_EQ(report.access, Access::granted);
}

TEST_F(Probing, AsksForAClassThatThereIsNotWhereOnlyTwoAre) {
    start(options());
    answer_listing(0, R"({"items": [{"id": 1, "name": "One", "size_class": 50},
                                    {"id": 2, "name": "Two", "size_class": 10000}], "total": null})");
    // Of 20,50 a server that takes the first only has none, and of 50&20 one that takes the last.
    answer_listing(2, R"({"items": [], "total": null})");
    answer_listing(2, R"({"items": [{"id": 1, "name": "One", "size_class": 50}], "total": null})");
    const ProbeReport report = probe();
    const auto requests = server().requests();
    EXPECT_EQ(requests.at(4).query.at("size_classes"), "20,50");
    EXPECT_EQ(requests.at(5).query.at("size_classes"), "20") << "the last of two";
    EXPECT_EQ(report.comma_list.answer, ListFilter::partly);
    EXPECT_EQ(report.repeated_list.answer, ListFilter::honoured);
}

TEST_F(Probing, CannotTellAFilterWhereAFullPageMayHideAClass) {
    start(options());
    answer_listing(0, R"({"items": [{"id": 1, "name": "One", "size_class": 50},
                                    {"id": 2, "name": "Two", "size_class": 10000},
                                    {"id": 3, "name": "Three", "size_class": 20}], "total": null})");
    answer_listing(2, R"({"items": [{"id": 1, "name": "One", "size_class": 50},
                                    {"id": 4, "name": "Four", "size_class": 50},
                                    {"id": 5, "name": "Five", "size_class": 50}], "total": null})");
    const ProbeReport report = probe();
    EXPECT_EQ(report.comma_list.answer, std::nullopt);
    EXPECT_THAT(report.comma_list.remark, HasSubstr("the first page has no organisation of 10000"));
}

TEST_F(Probing, TellsWhereTheTokenIsTaken) {
    simulator::Options header = options();
    header.token_place = simulator::TokenPlace::header;
    start(std::move(header));
    ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::granted);
    EXPECT_EQ(report.token_in_header.answer, true);
    EXPECT_EQ(report.token_in_query.answer, false);
    EXPECT_THAT(report.token_in_query.remark, HasSubstr("401"));

    simulator::Options query = options();
    query.token_place = simulator::TokenPlace::query;
    start(std::move(query));
    report = probe();
    EXPECT_EQ(report.access, Access::rejected) << "a sync would be refused";
    EXPECT_EQ(report.token_in_header.answer, false);
    EXPECT_EQ(report.token_in_query.answer, true);
    EXPECT_EQ(report.stats_shape.answer, StatsShape::wrapped) << "the rest is found out nevertheless";
    EXPECT_EQ(report.comma_list.answer, ListFilter::honoured);
}

TEST_F(Probing, SaysNeitherWhereTheTokenIsTakenNowhere) {
    start(options());
    fail(simulator::Operation::organisations, 401);
    const ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::rejected);
    EXPECT_EQ(report.token_in_header.answer, false);
    EXPECT_EQ(report.token_in_query.answer, false);
    EXPECT_EQ(report.stats_shape.answer, std::nullopt);
    EXPECT_EQ(server().requests().size(), 3U);
}

TEST_F(Probing, FindsTheCapOfAPage) {
    simulator::Options capped = options();
    capped.page_cap = 50;
    start(std::move(capped));
    ProbeReport report = probe();
    ASSERT_TRUE(report.page_cap.answer);
    EXPECT_TRUE(report.page_cap.answer->capped);
    EXPECT_EQ(report.page_cap.answer->asked, 500U);
    EXPECT_EQ(report.page_cap.answer->came, 50U);

    simulator::Options many = options();
    many.organisations = 700;
    start(std::move(many));
    report = probe();
    ASSERT_TRUE(report.page_cap.answer);
    EXPECT_FALSE(report.page_cap.answer->capped);
    EXPECT_EQ(report.page_cap.answer->came, 500U);
    EXPECT_EQ(server().requests().size(), 6U) << "a full page needs no second one";
}

TEST_F(Probing, CannotTellTheCapWhereAllFitIntoAPage) {
    start(options());
    const ProbeReport report = probe();
    EXPECT_EQ(report.page_cap.answer, std::nullopt);
    EXPECT_THAT(report.page_cap.remark, HasSubstr("there are only"));
}

TEST_F(Probing, LooksAtTotal) {
    start(options());
    answer_listing(0, R"({"items": [], "total": 60})");
    EXPECT_EQ(probe().total.answer, Total::number);
    answer_listing(0, R"({"items": []})");
    EXPECT_EQ(probe().total.answer, Total::absent);
}

TEST_F(Probing, ComparesTheClocks) {
    for (const auto skew : {-90s, 45s, 3'600s}) {
        simulator::Options skewed = options();
        skewed.date_skew = skew;
        start(std::move(skewed));
        EXPECT_EQ(probe().clock.answer, skew);
    }
}

TEST_F(Probing, SaysWhatCannotBeToldByOneOrganisation) {
    start(options());
    const std::string one = R"({"items": [{"id": 1, "name": "One", "size_class": 50}], "total": null})";
    answer_listing(0, one);
    answer_listing(1, one);
    answer_listing(1, R"({"items": []})");
    answer_listing(1, R"({"items": []})");
    const ProbeReport report = probe();
    EXPECT_EQ(report.comma_list.answer, std::nullopt);
    EXPECT_THAT(report.comma_list.remark, HasSubstr("all organisations are of size class 50"));
    EXPECT_EQ(report.repeated_list.answer, std::nullopt);
    EXPECT_EQ(report.page_cap.answer, std::nullopt);
    EXPECT_EQ(report.stats_shape.answer, std::nullopt) << "organisation 1 is not one of the simulator's";
    EXPECT_THAT(report.stats_shape.remark, HasSubstr("403 no_org_access"));
}

TEST_F(Probing, SaysWhatCannotBeToldByNone) {
    start(options());
    answer_listing(0, R"({"items": [], "total": null})");
    const ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::granted);
    EXPECT_THAT(report.comma_list.remark, HasSubstr("no organisation"));
    EXPECT_THAT(report.stats_shape.remark, HasSubstr("no organisation"));
    EXPECT_THAT(report.page_cap.remark, HasSubstr("only 0"));
}

TEST_F(Probing, GoesOnWhereOneAnswerCannotBeRead) {
    start(options());
    answer_listing(3, "<html>");
    Fault html;
    html.kind = Fault::Kind::html;
    html.operation = simulator::Operation::stats;
    server().fail(html);
    const ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::granted);
    EXPECT_EQ(report.comma_list.answer, std::nullopt);
    EXPECT_THAT(report.comma_list.remark, Not(IsEmpty()));
    EXPECT_EQ(report.repeated_list.answer, ListFilter::honoured);
    EXPECT_EQ(report.stats_shape.answer, std::nullopt);
    EXPECT_THAT(report.stats_shape.remark, Not(IsEmpty()));
}

TEST_F(Probing, EndsWithRejectedCredentials) {
    start(options());
    const ProbeReport report = probe("not the token");
    EXPECT_EQ(report.access, Access::rejected);
    EXPECT_THAT(report.error.value_or(""), HasSubstr("POST /oauth/token: 403"));
    EXPECT_FALSE(report.has_token);
    EXPECT_EQ(report.clock.answer, 0s) << "a refusal has a Date as well";
    EXPECT_EQ(server().requests().size(), 1U);
}

TEST_F(Probing, EndsWithAServerThatIsBroken) {
    start(options());
    fail(simulator::Operation::organisations, 503);
    ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::unavailable);
    EXPECT_THAT(report.error.value_or(""), HasSubstr("GET /admin/v1/documents/organisations: 503"));
    EXPECT_TRUE(report.has_token);
    EXPECT_EQ(server().requests().size(), 2U) << "once each";

    start(options());
    answer_listing(0, "<html>");
    report = probe();
    EXPECT_EQ(report.access, Access::unavailable);
    EXPECT_EQ(report.token_in_header.answer, std::nullopt);
}

TEST_F(Probing, EndsWithAServerThatGoesAway) {
    start(options());
    Fault cut;
    cut.kind = Fault::Kind::truncate;
    cut.operation = simulator::Operation::organisations;
    cut.after = 2;
    server().fail(cut);
    const ProbeReport report = probe();
    EXPECT_EQ(report.access, Access::unavailable);
    EXPECT_EQ(report.token_in_query.answer, true) << "what was found stays";
    EXPECT_EQ(report.comma_list.answer, std::nullopt);
    EXPECT_EQ(server().requests().size(), 4U) << "nothing more is asked";
}

TEST_F(Probing, NamesNoSecretInAnError) {
    start(options());
    Fault drop;
    drop.kind = Fault::Kind::drop;
    drop.operation = simulator::Operation::organisations;
    drop.after = 1;
    server().fail(drop);
    const ProbeReport report = probe();
    EXPECT_THAT(report.error.value_or(""), HasSubstr("GET /admin/v1/documents/organisations"));
    EXPECT_THAT(report.error.value_or(""), Not(HasSubstr("access_token")));
}

}  // namespace
}  // namespace heiasync::heiaheia
