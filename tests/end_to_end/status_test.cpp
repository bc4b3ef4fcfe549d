#include "content.hpp"
#include "daemon.hpp"
#include "endpoint.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using boost::asio::ip::tcp;
using simulator::Fault;
using simulator::Operation;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Fields = std::set<std::string>;

constexpr auto morning = "2026-06-15T07:30:00+03:00";

Fields fields(const rapidjson::Value& object) {
    Fields names;
    for (const auto& member : object.GetObject()) {
        names.emplace(member.name.GetString());
    }
    return names;
}

class StatusTest : public ::testing::Test {
protected:
    StatusTest() {
        installation.make_every_count_known("2026-06-15");
        listen(port);
    }

    void listen(unsigned at) { installation.config()["status"]["listen"] = fmt::format("127.0.0.1:{}", at); }

    /// What `status --json` says.
    rapidjson::Document status(int exit_code) const {
        const Outcome outcome = installation.run({"status", "--json"});
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome;
        rapidjson::Document document;
        document.Parse(outcome.out.c_str());
        EXPECT_TRUE(document.IsObject()) << outcome;
        return document;
    }

    void reload(Daemon& daemon) const {
        static_cast<void>(installation.command({}));
        daemon.signal(SIGHUP);
    }

    std::string ask(std::string_view request) const { return testing::ask(port, request); }

    unsigned port = free_port();
    Installation installation{tiny_world()};
};

TEST_F(StatusTest, OfADatabaseWithoutHistorySaysSo) {
    const Outcome outcome = installation.run({"status"});
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr(fmt::format("does not answer at 127.0.0.1:{}", port)),
                                   HasSubstr("not ready: its slot has not had its run yet"), HasSubstr("never")));
    EXPECT_THAT(outcome.err, HasSubstr("no history yet"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM pg_namespace WHERE nspname = 'heiasync'"), 0);
    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.config()["status"]["listen"] = YAML::Null;
    const auto json = status(exit_code::incomplete);
    EXPECT_TRUE(json["last_runs"].Empty());
    EXPECT_TRUE(json["run"].IsNull());
    EXPECT_TRUE(json["config"].IsNull());
    EXPECT_EQ(json["streams"].Size(), 4U);
    EXPECT_TRUE(json["streams"][0]["last_success"].IsNull());
    EXPECT_THAT(installation.run({"status"}).out, HasSubstr("status.listen is null"));
}

TEST_F(StatusTest, WithoutADatabaseEndsWith69) {
    installation.config()["database"]["url"] = "postgresql://127.0.0.1:1/x";
    const Outcome outcome = installation.run({"status", "--json"});
    EXPECT_EQ(outcome.exit_code, exit_code::unavailable) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("cannot connect to the database"));
}

TEST_F(StatusTest, AsJsonHasTheFieldsOfTheDocumentationWithTheDaemonUpAndDown) {
    const Fields all{"version", "run",      "next_run",   "last_runs",   "streams",
                     "config",  "last_due", "conditions", "schema_drift"};
    {
        Daemon daemon{installation, morning};
        daemon.wait_for_log("the next run is due at 2026-06-16 04:30:00 +03:00");
        const auto json = status(exit_code::done);
        EXPECT_EQ(fields(json), all);
        EXPECT_EQ(fields(json["config"]), (Fields{"loaded_at", "last_reload_ok", "last_reload_error",
                                                  "client_secret_loaded_at", "magic_token_loaded_at"}));
        EXPECT_TRUE(json["run"].IsNull());
        EXPECT_TRUE(json["conditions"].Empty());
        EXPECT_THAT(json["config"]["loaded_at"].GetString(), StartsWith("2026-06-15T04:3"));
        EXPECT_TRUE(json["config"]["last_reload_ok"].GetBool());
        EXPECT_TRUE(json["config"]["last_reload_error"].IsNull());
        EXPECT_THAT(installation.run({"status"}).out,
                    AllOf(HasSubstr(fmt::format("heiasyncd 0.1.0 at 127.0.0.1:{}", port)), HasSubstr("none in hand"),
                          HasSubstr("next run   2026-06-16 04:30"), HasSubstr("2026-06-15: ready"),
                          HasSubstr("catch_up"), Not(HasSubstr("left failed"))));
        daemon.stop();
    }
    const auto json = status(exit_code::done);
    EXPECT_EQ(fields(json), all);
    EXPECT_TRUE(json["config"].IsNull());
    EXPECT_TRUE(json["conditions"].IsNull());
    EXPECT_STREQ(json["next_run"]["local"].GetString(), "2026-06-16T04:30:00+03:00");
    EXPECT_STREQ(json["next_run"]["utc"].GetString(), "2026-06-16T01:30:00Z");
    EXPECT_STREQ(json["last_due"]["date"].GetString(), "2026-06-15");
    EXPECT_STREQ(json["last_due"]["slot"].GetString(), "2026-06-15T01:30:00Z");
    EXPECT_TRUE(json["last_due"]["ready"].GetBool());
    ASSERT_EQ(json["last_runs"].Size(), 1U);
    const auto& run = json["last_runs"][0];
    EXPECT_EQ(fields(run), (Fields{"sync_run_id", "trigger", "run_on", "scheduled_for", "started_at", "finished_at",
                                   "status", "organisations", "requests", "failures", "bytes_received", "error", "host",
                                   "version", "limited_to"}));
    EXPECT_STREQ(run["trigger"].GetString(), "catch_up");
    EXPECT_STREQ(run["status"].GetString(), "succeeded");
    EXPECT_STREQ(run["scheduled_for"].GetString(), "2026-06-15T01:30:00Z");
    std::vector<std::string> streams;
    for (const auto& stream : json["streams"].GetArray()) {
        EXPECT_EQ(fields(stream), (Fields{"stream", "last_success", "open_gaps", "final_gaps"}));
        EXPECT_STREQ(stream["last_success"].GetString(), run["finished_at"].GetString());
        EXPECT_EQ(stream["open_gaps"].GetInt(), 0);
        streams.emplace_back(stream["stream"].GetString());
    }
    EXPECT_EQ(streams, (std::vector<std::string>{"organisations", "usage_stats", "energy_levels", "reports"}));
}

TEST_F(StatusTest, ShowsARunInHandAndNobodyWhoAsksHindersItsStop) {
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.operation = Operation::stats;
    hang.after = 3;
    installation.api().fail(hang);
    Daemon daemon{installation, morning};
    wait_until([&] { return installation.requests(Operation::stats) > hang.after; });
    const auto json = status(exit_code::incomplete);
    EXPECT_EQ(fields(json["run"]), (Fields{"trigger", "scheduled_for", "started_at", "sync_run_id",
                                           "organisations_done", "organisations", "requests", "failures"}));
    EXPECT_STREQ(json["run"]["trigger"].GetString(), "catch_up");
    EXPECT_STREQ(json["run"]["scheduled_for"].GetString(), "2026-06-15T01:30:00Z");
    EXPECT_GT(json["run"]["organisations"].GetInt(), 0);
    EXPECT_GT(json["run"]["requests"].GetInt(), 0);
    EXPECT_STREQ(json["next_run"]["utc"].GetString(), "2026-06-15T01:30:00Z") << "it is due until it has its run";
    EXPECT_STREQ(json["last_runs"][0]["status"].GetString(), "running");
    EXPECT_FALSE(json["last_due"]["ready"].GetBool());
    EXPECT_THAT(installation.run({"status"}).out, HasSubstr("run        catch_up for 2026-06-15 04:30:00 +03:00"));

    const std::size_t descriptors = daemon.descriptors();
    boost::asio::io_context loop;
    std::vector<tcp::socket> idle;
    for (int number = 0; number < 100; ++number) {
        idle.emplace_back(loop).connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
        boost::asio::write(idle.back(), boost::asio::buffer("GET /api", 8));
        EXPECT_THAT(ask(std::string(20'000, 'x') + "\r\n"), StartsWith("HTTP/1.1 4"));
    }
    EXPECT_LE(daemon.descriptors(), descriptors + 16);
    EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("<p>sync ")));
    EXPECT_THAT(ask("DELETE /api/v1/status HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(ask("GET /api/v1/status HTTP/1.1\r\n\r\n"), HasSubstr(R"("run":{"trigger":"catch_up")"));
    EXPECT_THAT(daemon.stop().err, Not(HasSubstr("still hangs")));
    installation.api().clear_faults();
    EXPECT_STREQ(status(exit_code::incomplete)["last_runs"][0]["status"].GetString(), "interrupted");
}

TEST_F(StatusTest, ShowsWhatBecameOfAReload) {
    Daemon daemon{installation, "2026-06-15T04:00:00+03:00"};
    daemon.wait_for_log("the next run is due at 2026-06-15 04:30:00");
    installation.config()["schedule"]["daily_at"] = "25:00";
    reload(daemon);
    daemon.wait_for_log("the earlier one stays in force");
    installation.config()["schedule"]["daily_at"] = "05:15";
    installation.config()["schedule"]["time_zone"] = "UTC";
    auto config = status(exit_code::incomplete);
    EXPECT_FALSE(config["config"]["last_reload_ok"].GetBool());
    EXPECT_THAT(config["config"]["last_reload_error"].GetString(),
                AllOf(HasSubstr("heiasyncd.yaml:"), HasSubstr("schedule.daily_at")));
    EXPECT_STREQ(config["next_run"]["local"].GetString(), "2026-06-15T04:30:00+03:00");
    EXPECT_THAT(installation.run({"status"}).out,
                AllOf(HasSubstr("the last reload was refused"), HasSubstr("schedule.daily_at: ")));

    reload(daemon);
    daemon.wait_for_log("the next run is due at 2026-06-15 05:15:00 +00:00");
    config = status(exit_code::incomplete);
    EXPECT_TRUE(config["config"]["last_reload_ok"].GetBool());
    EXPECT_TRUE(config["config"]["last_reload_error"].IsNull());
    EXPECT_STREQ(config["next_run"]["local"].GetString(), "2026-06-15T05:15:00+00:00");
    daemon.stop();
}

TEST_F(StatusTest, AReloadMovesTheEndpointOrIsRefused) {
    Daemon daemon{installation, "2026-06-15T01:00:00+03:00"};
    daemon.wait_for_log("the next run is due");
    boost::asio::io_context loop;
    const tcp::acceptor taken{loop, {boost::asio::ip::address_v4::loopback(), 0}};
    listen(taken.local_endpoint().port());
    reload(daemon);
    daemon.wait_for_log(
        fmt::format("the earlier one stays in force: status.listen: cannot listen on 127.0.0.1:{}: "
                    "Address already in use",
                    taken.local_endpoint().port()));
    listen(port);
    EXPECT_THAT(status(exit_code::incomplete)["config"]["last_reload_error"].GetString(), HasSubstr("status.listen"));

    const unsigned before = std::exchange(port, free_port());
    listen(port);
    reload(daemon);
    daemon.wait_for_log("the configuration is in force: status.listen: ");
    EXPECT_TRUE(status(exit_code::incomplete)["config"]["last_reload_ok"].GetBool());
    listen(before);
    EXPECT_TRUE(status(exit_code::incomplete)["config"].IsNull());

    installation.config()["status"]["listen"] = YAML::Null;
    reload(daemon);
    daemon.wait_for_log("the configuration is in force: status.listen: ");
    EXPECT_THAT(ask("GET /api/v1/status HTTP/1.1\r\n\r\n"), IsEmpty());
    daemon.stop();
}

TEST_F(StatusTest, AnAddressInUseIsAMistakeOfTheConfiguration) {
    boost::asio::io_context loop;
    const tcp::acceptor taken{loop, {boost::asio::ip::address_v4::loopback(), 0}};
    listen(taken.local_endpoint().port());
    const Outcome outcome = installation.run({"run", "--simulated-time", morning});
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(fmt::format("status.listen: cannot listen on 127.0.0.1:{}: Address already in "
                                                   "use",
                                                   taken.local_endpoint().port())));
}

TEST_F(StatusTest, NamesWhatIsLeftFailed) {
    Fault refused;
    refused.operation = Operation::stats;
    refused.status = 403;
    refused.times = 2;
    installation.api().fail(refused);
    EXPECT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::incomplete);
    installation.api().clear_faults();
    const auto failed = installation.value(
        "SELECT min(organisation_id) FROM heiasync.sync_tasks WHERE status = 'failed' AND stream = 'usage_stats'");
    const Outcome outcome = installation.run({"status"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << "a 403 is final for the day: nothing more is to come" << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("2026-06-15: ready\n"));
    EXPECT_THAT(outcome.out, HasSubstr(fmt::format("organisation {}, usage_stats: ", failed)));
    EXPECT_THAT(outcome.out, HasSubstr("(HTTP 403)"));
    const auto json = status(exit_code::done);
    EXPECT_EQ(json["streams"][1]["open_gaps"].GetInt(), 0);
    EXPECT_EQ(json["streams"][1]["final_gaps"].GetInt(), 2);
    EXPECT_TRUE(json["streams"][1]["last_success"].IsNull());
    EXPECT_TRUE(json["streams"][0]["last_success"].IsString());
    EXPECT_EQ(installation.sync_on("2026-06-15").exit_code, exit_code::done);
    EXPECT_TRUE(status(exit_code::done)["last_due"]["ready"].GetBool());
}

}  // namespace

}  // namespace heiasync::testing
