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

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::testing {

namespace {

using boost::asio::ip::tcp;
using simulator::Fault;
using simulator::Operation;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

double seconds(const std::string& instant) {
    return std::chrono::duration<double>{core::parse_instant(instant).time_since_epoch()}.count();
}

class MetricsTest : public ::testing::Test {
protected:
    MetricsTest() {
        installation.make_every_count_known("2026-06-15");
        installation.config()["status"]["listen"] = fmt::format("127.0.0.1:{}", port);
    }

    std::string get(const std::string& path) const { return ask(port, "GET " + path + " HTTP/1.1\r\n\r\n"); }
    std::map<std::string, double> metrics() const { return samples(get("/metrics")); }
    double metric(const std::string& series) const {
        const auto all = metrics();
        return all.contains(series) ? all.at(series) : -1;
    }
    static std::string of_stream(const std::string& stream) {
        return fmt::format("heiasync_run_last_success_timestamp_seconds{{stream=\"{}\"}}", stream);
    }
    static std::string gaps(const std::string& stream, const std::string& state) {
        return fmt::format("heiasync_gaps{{state=\"{}\",stream=\"{}\"}}", state, stream);
    }
    static std::string requests(const std::string& operation, int code) {
        return fmt::format("heiasync_api_requests_total{{code=\"{}\",operation=\"{}\"}}", code, operation);
    }

    unsigned port = free_port();
    Installation installation{tiny_world()};
};

TEST_F(MetricsTest, OfADayWithAPartialRun) {
    Fault refused;
    refused.operation = Operation::stats;
    refused.status = 403;
    refused.times = 2;
    installation.api().fail(refused);
    const auto listed = static_cast<double>(installation.truth_on("2026-06-15").organisations().size());
    {
        Daemon daemon{installation, "2026-06-15T04:29:59+03:00"};
        daemon.wait_for_log("run 1 partial");
        daemon.wait_for_log("the next run is due at 2026-06-16 04:30:00");
        EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\n\r\nhealthy\n")));
        EXPECT_THAT(get("/readyz"),
                    AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\n\r\nready: the database answered ")))
            << "a partial day is no matter of readiness";
        EXPECT_THAT(get("/metrics"), HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        EXPECT_THAT(ask(port, "POST /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));

        auto all = metrics();
        EXPECT_EQ(installation.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                     "AND application_name = 'heiasyncd'"),
                  0)
            << "a scrape opens no session";
        EXPECT_EQ(all.at("heiasync_runs_total{status=\"partial\"}"), 1);
        EXPECT_EQ(all.at("heiasync_runs_total{status=\"succeeded\"}"), 0);
        EXPECT_GT(all.at("heiasync_run_duration_seconds"), 0);
        EXPECT_EQ(all.at("heiasync_run_lock_held"), 0);
        EXPECT_EQ(all.at("heiasync_next_run_timestamp_seconds"), seconds("2026-06-16T04:30:00+03:00"));
        EXPECT_EQ(all.at(gaps("usage_stats", "open")), 0);
        EXPECT_EQ(all.at(gaps("reports", "open")), 0);
        EXPECT_EQ(all.at(gaps("usage_stats", "final")), 2) << "a 403 is final for the day";
        EXPECT_EQ(all.at(of_stream("usage_stats")), 0) << "it never succeeded";
        EXPECT_NEAR(all.at(of_stream("reports")), seconds("2026-06-15T04:30:00+03:00"), 60);
        EXPECT_EQ(all.at("heiasync_organisations"), listed);
        EXPECT_EQ(all.at("heiasync_period_missing"), 0);
        EXPECT_EQ(all.at(requests("usage_stats", 403)), 2);
        EXPECT_GT(all.at(requests("usage_stats", 200)), 10);
        EXPECT_EQ(all.at(requests("access_token", 200)), 1);
        EXPECT_EQ(all.at("heiasync_api_request_duration_seconds_count{operation=\"usage_stats\"}"),
                  all.at(requests("usage_stats", 200)) + all.at(requests("usage_stats", 403)) +
                      all.at(requests("usage_stats", 400)));
        EXPECT_GT(all.at("heiasync_api_received_bytes_total"), 1000);
        EXPECT_NEAR(all.at("heiasync_clock_skew_seconds{reference=\"api\"}"), 0, 3);
        EXPECT_EQ(all.at("heiasync_database_up"), 1);
        EXPECT_GT(all.at("heiasync_database_transactions_total{outcome=\"committed\"}"), 10);
        EXPECT_EQ(static_cast<std::int64_t>(all.at("heiasync_schema_version")),
                  installation.count("SELECT max(version) FROM heiasync.schema_migrations"));

        daemon.signal(SIGUSR1);
        daemon.wait_for_log("run 2 succeeded");
        wait_until([&] { return metric(gaps("usage_stats", "final")) == 0; });
        all = metrics();
        EXPECT_EQ(all.at("heiasync_runs_total{status=\"succeeded\"}"), 1);
        EXPECT_GT(all.at(of_stream("usage_stats")), seconds("2026-06-15T04:30:00+03:00"));
        daemon.stop();
    }
    // What was, the ledger knows; what was counted, nobody.
    Daemon daemon{installation, "2026-06-17T04:29:59+03:00"};
    daemon.wait_for_log("run 3 succeeded");
    daemon.wait_for_log("the next run is due at 2026-06-18 04:30:00");
    const auto all = metrics();
    EXPECT_EQ(all.at("heiasync_runs_total{status=\"partial\"}"), 0);
    EXPECT_EQ(all.at(gaps("organisations", "final")), 1) << "16 June had no run";
    const auto truth = installation.truth_on("2026-06-15");
    EXPECT_EQ(all.at(gaps("usage_stats", "final")),
              static_cast<double>(truth.mapped_subjects().size() + truth.unmapped_subjects().size()));
    EXPECT_GT(all.at(of_stream("usage_stats")), seconds("2026-06-15T04:30:00+03:00"));
    EXPECT_EQ(all.at(of_stream("usage_stats")), all.at(of_stream("reports")));
    daemon.stop();
}

TEST_F(MetricsTest, ShowARunInHand) {
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.operation = Operation::stats;
    hang.after = 3;
    installation.api().fail(hang);
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    wait_until([&] { return installation.requests(Operation::stats) > hang.after; });
    const auto all = metrics();
    EXPECT_EQ(all.at("heiasync_run_lock_held"), 1);
    EXPECT_NEAR(all.at("heiasync_run_progress_timestamp_seconds"), seconds("2026-06-15T07:30:00+03:00"), 60);
    EXPECT_EQ(all.at("heiasync_next_run_timestamp_seconds"), seconds("2026-06-15T04:30:00+03:00"))
        << "it is due until it has its run";
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
    daemon.stop();
}

TEST_F(MetricsTest, WithTheDatabaseAway) {
    installation.config()["database"]["url"] = "postgresql://127.0.0.1:1/nobody";
    Daemon daemon{installation, "2026-06-15T12:00:00+03:00"};
    daemon.wait_for_log("the database is not available");
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                                      HasSubstr("\r\n\r\nnot ready, "), HasSubstr("cannot connect to the database")));
    const auto all = metrics();
    EXPECT_EQ(all.at("heiasync_database_up"), 0);
    EXPECT_EQ(all.at("heiasync_condition{condition=\"database\"}"), 1);
    EXPECT_EQ(all.at("heiasync_next_run_timestamp_seconds"), 0) << "nobody knows";
    daemon.stop();
}

TEST_F(MetricsTest, AfterAReloadThatWasRejected) {
    const std::string successful = "heiasync_config_last_reload_successful";
    const std::string loaded_at = "heiasync_config_last_reload_success_timestamp_seconds";
    Daemon daemon{installation, "2026-06-15T04:00:00+03:00"};
    daemon.wait_for_log("the next run is due at 2026-06-15 04:30:00");
    const auto before = metrics();
    EXPECT_EQ(before.at(successful), 1);
    EXPECT_NEAR(before.at(loaded_at), seconds("2026-06-15T04:00:00+03:00"), 60);
    installation.config()["schedule"]["daily_at"] = "25:00";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log("the earlier one stays in force");
    EXPECT_EQ(metric(successful), 0);
    EXPECT_EQ(metric(loaded_at), before.at(loaded_at));
    installation.config()["schedule"]["daily_at"] = "04:45";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    daemon.wait_for_log("the next run is due at 2026-06-15 04:45:00");
    EXPECT_EQ(metric(successful), 1);
    EXPECT_GT(metric(loaded_at), before.at(loaded_at));
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
    daemon.stop();
}

TEST_F(MetricsTest, CredentialsThatAreRejectedAreSeen) {
    Fault rejected;
    rejected.operation = Operation::token;
    rejected.status = 401;
    installation.api().fail(rejected);
    Daemon daemon{installation, "2026-06-15T12:00:00+03:00"};
    daemon.wait_for_log("the API rejected the credentials");
    daemon.wait_for_log("the next run is due at");
    EXPECT_EQ(metric("heiasync_condition{condition=\"credentials\"}"), 1);
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
    installation.api().clear_faults();
    daemon.signal(SIGUSR1);
    daemon.wait_for_log("the API accepts the credentials again");
    daemon.wait_for_log("the next run is due at");
    EXPECT_EQ(metric("heiasync_condition{condition=\"credentials\"}"), 0);
    daemon.stop();
}

TEST_F(MetricsTest, AreAcceptedByPromtool) {
    if (std::system("command -v promtool >/dev/null") != 0) {  // NOLINT(concurrency-mt-unsafe): nobody else is there
        GTEST_SKIP() << "promtool is not installed: scripts/bootstrap --checks";
    }
    Daemon daemon{installation, "2026-06-15T07:30:00+03:00"};
    daemon.wait_for_log("the next run is due at");
    const std::string answer = get("/metrics");
    const auto file = installation.write("metrics", answer.substr(answer.find("\r\n\r\n") + 4));
    Process promtool{{"/bin/sh", "-c", "exec promtool check metrics < " + file.string()}};
    const Outcome outcome = promtool.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out + outcome.err, IsEmpty());
    daemon.stop();
}

/// Requests that nobody should send: malformed, oversized and slow ones, in turn.
class Rabble {
public:
    explicit Rabble(unsigned port) : port_{static_cast<unsigned short>(port)} {}

    void send(int number) {
        static const std::vector<std::string> requests{
            "\r\n\r\n\r\n",
            "GET\r\n\r\n",
            "GET /metrics HTTP/9.9\r\n\r\n",
            std::string(20'000, 'x') + "\r\n",
            "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
            "POST /readyz HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
            "GET /metrics HTTP/1.1\r\n",
            ""};
        tcp::socket socket{loop_};
        socket.connect({boost::asio::ip::address_v4::loopback(), port_});
        boost::system::error_code ignored;
        boost::asio::write(socket, boost::asio::buffer(requests[static_cast<std::size_t>(number) % requests.size()]),
                           ignored);
        // Some say no more and stay; the others go.
        if (number % 5 >= 3) {
            waiting_.push_back(std::move(socket));
        }
    }

private:
    unsigned short port_;
    boost::asio::io_context loop_;
    std::vector<tcp::socket> waiting_;
};

TEST_F(MetricsTest, AThousandHostileRequestsDoNotHarmARun) {
    constexpr auto start = "2026-06-15T07:30:00+03:00";
    const auto tasks = [](const Installation& of) {
        return of.lines(
            "SELECT organisation_id, business_id, stream, report_id, period_start, status, attempts "
            "FROM heiasync.sync_tasks");
    };
    Installation undisturbed{tiny_world()};
    undisturbed.make_every_count_known("2026-06-15");
    {
        Daemon daemon{undisturbed, start};
        daemon.wait_for_log("run 1 succeeded: ");
        daemon.stop();
    }

    Fault slow;
    slow.kind = Fault::Kind::delay;
    slow.interval = std::chrono::milliseconds{20};
    installation.api().fail(slow);
    Daemon daemon{installation, start};
    wait_until([&] { return installation.requests(Operation::stats) > 0; });
    const std::size_t descriptors = daemon.descriptors();
    std::size_t most = 0;
    Rabble rabble{port};
    for (int number = 0; number < 1000; ++number) {
        rabble.send(number);
        if (number % 100 == 99) {
            most = std::max(most, daemon.descriptors());
            installation.api().wait_for_requests(installation.api().requests().size() + 1);
        }
    }
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "running") << "all that was during the run";
    EXPECT_LE(most, descriptors + 20) << "16 connections, one that is accepted, and what the run opens";
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 ")) << "with the rabble still connected";
    daemon.wait_for_log("run 1 succeeded: ");
    daemon.wait_for_log("the next run is due at");
    EXPECT_EQ(metric("heiasync_runs_total{status=\"succeeded\"}"), 1);
    EXPECT_LE(daemon.descriptors(), descriptors + 20);
    daemon.stop();
    EXPECT_EQ(row_difference(content(undisturbed), content(installation)), "");
    EXPECT_EQ(difference(tasks(undisturbed), tasks(installation)), "");
}

}  // namespace

}  // namespace heiasync::testing
