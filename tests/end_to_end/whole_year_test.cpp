#include "content.hpp"
#include "daemon.hpp"
#include "endpoint.hpp"
#include "recorded_truth.hpp"

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using date::sys_days;
using namespace date::literals;
using namespace std::chrono_literals;
using simulator::Fault;
using simulator::Operation;
using simulator::vendor_midnight;

/// `2026-02-10 12:00`, in Finland.
core::Instant at(const std::string& local) {
    std::istringstream stream{local};
    date::local_seconds time;
    stream >> date::parse("%F %H:%M", time);
    return date::locate_zone("Europe/Helsinki")->to_sys(time, date::choose::earliest);
}

/// Stops a calendar that leaps: whoever asks the API from an instant on is not answered until the gate opens.
class Gate {
public:
    /// For the simulator.
    void pass(core::Instant at) {
        std::unique_lock lock{mutex_};
        while (at >= closed_from_ && passing_ == 0) {
            held_ = at;
            changed_.notify_all();
            changed_.wait(lock, [this] { return !held_; });
        }
        passing_ -= at >= closed_from_ ? 1 : 0;
        passed_ = at;
    }

    /// From that instant on, that many may pass.
    void close(core::Instant from, int passing) {
        const std::scoped_lock lock{mutex_};
        closed_from_ = from;
        passing_ = passing;
        held_.reset();
        changed_.notify_all();
    }
    void open() { close(core::Instant::max(), 0); }

    /// Until somebody is held; since when, by its calendar.
    core::Instant wait() {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, 3min, [this] { return held_.has_value(); })) {
            throw std::runtime_error{fmt::format("nobody came to the gate of {}, the last one at {}",
                                                 core::format_instant(closed_from_), core::format_instant(passed_))};
        }
        return *held_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    core::Instant closed_from_ = core::Instant::max();
    int passing_ = 0;
    std::optional<core::Instant> held_;
    core::Instant passed_;  ///< the last one
};

/// A daemon's life, and what the history must then be.
class WholeYear : public ::testing::Test {
protected:
    WholeYear() {
        auto config = installation.config();
        config["schedule"]["daily_at"] = "03:30";
        config["schedule"]["retry_interval"] = "9h";
        config["api"]["size_classes"] = std::vector<int>{20, 50, 10000};
        config["api"]["per_page"] = 6;
        config["log"]["level"] = "error";
        config["status"]["listen"] = fmt::format("127.0.0.1:{}", status_port);
        truth.set_daily_at(2026_y / 1 / 1, 3h + 30min);
        installation.tolerate(simulator::Violation::Kind::report_downloaded_twice);
    }
    ~WholeYear() override {
        gate.open();
        daemon.reset();
    }

    static simulator::Options options(Gate& gate) {
        auto options = tiny_world();
        options.on_request = [&gate](core::Instant at) { gate.pass(at); };
        return options;
    }

    simulator::World& world() { return installation.api().world(); }

    /// The API has this fault from one local time until another.
    void has_fault(Fault fault, const std::string& from, const std::string& until) {
        fault.from = at(from);
        fault.until = at(until);
        installation.api().fail(std::move(fault));
    }
    static Fault status(unsigned status, std::optional<Operation> operation = {},
                        std::optional<std::int64_t> organisation = {}) {
        Fault fault;
        fault.status = status;
        fault.operation = operation;
        fault.organisation = organisation;
        return fault;
    }

    void start(const std::string& local) { start(at(local)); }
    void start(core::Instant at) { daemon.emplace(installation, core::format_instant(at), Daemon::Pace::jump); }
    /// Until that many requests were answered from a local time on, and one more is waiting for its answer.
    void live_until(const std::string& local, int requests = 0) {
        SCOPED_TRACE(local);
        gate.close(at(local), requests);
        try {
            now = gate.wait();
        } catch (const std::runtime_error&) {
            gate.open();
            ADD_FAILURE() << daemon->kill();
            throw;
        }
        ASSERT_EQ(simulator::vendor_date(now), simulator::vendor_date(at(local)));
        wait_for_ledger();
    }
    /// Until what was answered today is stored.
    void wait_for_ledger() {
        const core::Date today = simulator::vendor_date(now);
        const auto answered = RecordedTruth::answered(world(), installation.api().requests(), today);
        wait_until([&] {
            const auto done = installation.lines(fmt::format(
                "SELECT DISTINCT stream, organisation_id, CASE WHEN report_id IS NULL THEN business_id ELSE '*' END, "
                "period_start, report_id FROM heiasync.sync_tasks WHERE run_on = '{}' AND status = 'done'",
                core::format_date(today)));
            return std::ranges::includes(done, answered);
        });
    }
    /// Days without a daemon: somebody runs `sync` half an hour after noon.
    void sync_daily(core::Date first, core::Date last) {
        gate.open();
        for (core::Date date = first; date <= last; date = core::Date{sys_days{date} + date::days{1}}) {
            now = at(core::format_date(date) + " 12:30");
            const Outcome outcome =
                installation.run({"sync", "--quiet", "--simulated-time", core::format_instant(now)});
            EXPECT_LE(outcome.exit_code, exit_code::incomplete) << core::format_date(date) << outcome;
        }
    }
    /// SIGKILL. Who is held at the gate will not be answered.
    void kill() {
        daemon->kill();
        has_gone();
    }
    void stop() {
        daemon->stop();
        has_gone();
    }
    void has_gone() {
        daemon.reset();
        truth.lost(now, now + 1us);
    }

    /// The daemon takes the configuration as it is now, in a run that goes on with the earlier one.
    void reload() {
        const auto loaded_at = [this] {
            return samples(ask(status_port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .at("heiasync_config_last_reload_success_timestamp_seconds");
        };
        const double before = loaded_at();
        static_cast<void>(installation.command({}));
        daemon->signal(SIGHUP);
        wait_until([&] { return loaded_at() != before; });
    }

    /// The history says what the simulator knows.
    HistoryTruth verify() {
        const HistoryTruth facts = truth.work_out(installation.api().requests(), now);
        SCOPED_TRACE("on " + core::format_date(facts.today));
        const auto expect_lines = [&](const char* what, const std::set<std::string>& expected, const std::string& sql) {
            EXPECT_EQ(difference(expected, installation.lines(sql)), "") << what;
        };
        const std::string today = core::format_date(facts.today);
        expect_lines("expected", facts.names(),
                     "SELECT stream, organisation_id, business_id, expected_on, period_start, period_end, report_id, "
                     "date_trunc('second', generated_at) FROM heiasync.expected('2025-01-01', '" +
                         today + "')");
        expect_lines("gaps", facts.gaps(),
                     "SELECT stream, organisation_id, business_id, expected_on, period_start, period_end, report_id, "
                     "date_trunc('second', generated_at), state, reason, "
                     "(last_attempt_at AT TIME ZONE 'Europe/Helsinki')::date FROM heiasync.sync_gaps");
        expect_lines("deltas", facts.daily,
                     "SELECT organisation_id, business_id, observed_on, observations, previous_observed_on, "
                     "days_since_previous, total_membership_count_delta, hh_core_total_membership_count_delta, "
                     "hh_core_accepted_membership_count_delta, app_use_count_delta, app_monthly_use_count_delta, "
                     "counter_reset FROM heiasync.usage_stats_daily");
        expect_lines("energy levels", facts.energy_levels,
                     "SELECT organisation_id, business_id, period_start, period_end, days_late FROM "
                     "heiasync.energy_levels");
        expect_lines("reports", facts.reports,
                     "SELECT organisation_id, report_id, date_trunc('second', generated_at) FROM heiasync.reports");
        std::set<std::string> dates;
        const auto word = [](std::optional<bool> answer) { return !answer ? "NULL" : *answer ? "t" : "f"; };
        for (const auto& [date, state] : facts.dates) {
            dates.insert(fmt::format("{}|{}|{}", core::format_date(date), word(state.ready), word(state.complete)));
        }
        expect_lines(
            "ready and complete", dates,
            fmt::format("SELECT day::date, heiasync.ready(day::date), heiasync.complete(day::date) FROM "
                        "generate_series('{}'::timestamp, '{}', '1 day') AS day",
                        core::format_date(facts.dates.begin()->first), core::format_date(facts.dates.rbegin()->first)));
        return facts;
    }

    /// Asks for every date, each cell once.
    void expect_each_cell_explained(const HistoryTruth& facts) {
        std::map<core::Date, std::set<std::string>> expected;
        for (const auto& [date, unused] : facts.dates) {
            if (date <= facts.today) {
                expected[date];
            }
        }
        for (const ExpectedCell& cell : facts.cells) {
            const bool is_missing = cell.outcome == ExpectedCell::Outcome::missing;
            expected[cell.expected_on].insert(fmt::format("{}|{}|{}|{}", cell.name(), to_string(cell.outcome),
                                                          !is_missing    ? "NULL"
                                                          : cell.is_open ? "open"
                                                                         : "final",
                                                          cell.reason));
        }
        for (const auto& [date, lines] : expected) {
            const std::string day = core::format_date(date);
            SCOPED_TRACE("why " + day);
            const Outcome why = installation.run({"why", day, "--json"});
            rapidjson::Document document;
            document.Parse(why.out.c_str());
            ASSERT_FALSE(document.HasParseError()) << why;
            std::set<std::string> cells;
            for (const auto& cell : document["cells"].GetArray()) {
                const auto text = [&cell](const char* member, const char* otherwise) -> std::string {
                    const auto& value = cell[member];
                    return value.IsNull()     ? otherwise
                           : value.IsString() ? value.GetString()
                                              : std::to_string(value.GetInt64());
                };
                if (text("outcome", "") == "not_expected") {
                    continue;
                }
                const std::string generated_at =
                    cell["generated_at"].IsNull() ? "NULL" : as_stored(core::parse_instant(text("generated_at", "")));
                const std::string line =
                    fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", text("stream", ""), text("organisation_id", ""),
                                text("business_id", ""), day, text("period_start", "NULL"), text("period_end", "NULL"),
                                text("report_id", "NULL"), generated_at, text("outcome", ""), text("state", "NULL"),
                                text("reason", ""));
                EXPECT_TRUE(cells.insert(line).second) << "twice: " << line;
                EXPECT_GT(cell["rule"].GetInt(), 0) << line;
            }
            EXPECT_EQ(difference(lines, cells), "");
        }
    }

    /// `energy_levels missing final too_late`, without figures.
    static std::map<std::string, int> kinds(const HistoryTruth& facts) {
        std::map<std::string, int> counts;
        for (const ExpectedCell& cell : facts.cells) {
            const bool is_missing = cell.outcome == ExpectedCell::Outcome::missing;
            const char* const stream = cell.report_id ? "report" : cell.stream.c_str();
            ++counts[fmt::format("{} {}{}{}", stream, to_string(cell.outcome),
                                 !is_missing    ? ""
                                 : cell.is_open ? " open "
                                                : " final ",
                                 is_missing ? cell.reason.substr(0, cell.reason.find(':')) : "")];
        }
        return counts;
    }

    PostgresServer& server = PostgresServer::shared();
    Gate gate;
    Installation installation{options(gate)};
    RecordedTruth truth{installation.api().world()};
    unsigned status_port = free_port();
    std::optional<Daemon> daemon;
    core::Instant now;  ///< by the calendar of who was held last
};

simulator::UsageStats figures(std::int64_t accepted, std::optional<std::int64_t> uses) {
    simulator::UsageStats stats;
    stats.total_membership_count = 20;
    stats.hh_core_total_membership_count = 15;
    stats.hh_core_accepted_membership_count = accepted;
    stats.app_use_count = uses;
    stats.app_monthly_use_count = 10;
    return stats;
}

/// Who comes, goes, returns and changes.
class ChangingYear : public WholeYear {
protected:
    static constexpr std::int64_t latecomer = 9'000'001;
    static constexpr std::int64_t crossing = 9'000'002;
    static constexpr std::int64_t in_july = 9'000'003;

    ChangingYear() {
        for (const auto& organisation : world().organisations(at("2026-01-02 12:00"))) {
            listed.push_back(organisation.id);
        }
        for (const auto& organisation : world().organisations(at("2027-01-01 12:00"))) {
            joining = std::ranges::find(listed, organisation.id) == listed.end() ? organisation.id : joining;
        }
        EXPECT_EQ(listed.size(), 13U);
        EXPECT_NE(joining, 0);
        hide({10}, "2026-04-12 00:00", "2026-04-25 00:00");
        hide({10}, "2026-11-03 00:00", "2026-11-05 00:00");
        hide({7}, "2026-07-02 00:00", "2026-08-05 00:00");
        // More at once than is believed.
        hide({1, 2, 5, 6, 8, 9, 11}, "2026-06-15 00:00", "2026-06-20 00:00");
        hide({0, 1, 4, 6, 8, 9, 12}, "2026-08-10 00:00", "2026-08-15 00:00");
        add_latecomer();
        simulator::Organisation organisation;
        organisation.id = crossing;
        organisation.name = "Crossing";
        world().add(organisation, at("2026-01-15 00:00"));
        world().set_stats(crossing, "", figures(8, 500));
        world().set_stats(crossing, "", figures(3, 700), at("2026-02-15 00:00"));
        world().set_stats(crossing, "", figures(6, 900), at("2026-04-15 00:00"));
        world().set_stats(crossing, "", figures(6, 100), at("2026-06-12 00:00"));
        world().set_stats(crossing, "", figures(6, std::nullopt), at("2026-07-10 00:00"));
        world().set_stats(crossing, "", figures(5, 150), at("2026-07-15 00:00"));
        world().set_stats(crossing, "", figures(4, 200), at("2026-12-31 00:00"));
        organisation.id = in_july;
        organisation.name = "July";
        world().add(organisation, at("2026-07-02 00:00"));
    }

    void hide(const std::vector<std::size_t>& places, const std::string& from, const std::string& until) {
        for (const std::size_t place : places) {
            world().hide(listed.at(place), at(from), at(until));
        }
    }

    /// Comes in spring, has business ids from May on, which come and go, and is gone in October.
    void add_latecomer() {
        simulator::Organisation organisation;
        organisation.id = latecomer;
        organisation.name = "Latecomer";
        world().add(organisation, at("2026-03-18 00:00"));
        const auto has = [&](const std::string& from, std::vector<simulator::BusinessId> business_ids) {
            organisation.multi_business_id = !business_ids.empty();
            organisation.business_ids = std::move(business_ids);
            world().change(organisation, at(from));
        };
        const simulator::BusinessId first{"1111111-1", "first", true, 40};
        const simulator::BusinessId second{"2222222-2", "second", true, 30};
        const simulator::BusinessId third{"3333333-3", "third", false, 0};
        simulator::BusinessId third_with_users = third;
        third_with_users.mapped = true;
        third_with_users.share_percent = 20;
        has("2026-04-20 00:00", {first, second});
        has("2026-06-28 00:00", {second, third});
        has("2026-08-20 00:00", {second, third_with_users});
        has("2026-09-03 00:00", {first, third_with_users});
        world().hide(latecomer, at("2026-10-12 00:00"));
    }

    std::vector<std::int64_t> listed;  ///< on the first day, by id
    std::int64_t joining = 0;          ///< the one that the world lets join later
};

TEST_F(ChangingYear, IsKnownExactly) {
    if (!long_tests()) {
        GTEST_SKIP() << "takes minutes: scripts/test --long";
    }
    Fault no_second_page = status(500, Operation::organisations);
    no_second_page.page = "2";
    Fault drop;
    drop.kind = Fault::Kind::drop;

    // The history begins on the day after: there is no complete listing on the first.
    has_fault(no_second_page, "2026-01-02 00:00", "2026-01-03 00:00");
    const auto began = std::chrono::steady_clock::now();
    start("2026-01-02 12:00");

    live_until("2026-01-20 00:00");
    verify();
    kill();
    truth.was_cut_short(2026_y / 1 / 20);
    start("2026-01-22 10:00");

    has_fault(status(500, Operation::full_data), "2026-02-25 00:00", "2026-03-09 00:00");
    // Until a version is superseded, until its organisation has gone, and until the end.
    has_fault(status(404, Operation::full_data, listed.at(5)), "2026-03-20 00:00", "2026-05-10 00:00");
    has_fault(status(404, Operation::full_data, joining), "2026-06-20 00:00", "2027-02-01 00:00");
    has_fault(status(404, Operation::full_data, listed.at(9)), "2027-01-01 00:00", "2027-02-01 00:00");
    live_until("2026-02-10 00:00", 20);
    kill();
    verify();
    start("2026-02-10 12:00");

    live_until("2026-02-20 00:00", 25);
    kill();
    truth.was_cut_short(2026_y / 2 / 20);
    verify();
    start("2026-02-22 06:00");

    // Energy levels on the last day that is not too late.
    has_fault(status(503, Operation::energy_levels), "2026-03-01 00:00", "2026-03-08 00:00");
    live_until("2026-03-08 00:00");
    stop();
    verify();
    start("2026-03-08 09:00");

    // The clocks go forward over the slot.
    has_fault(status(503), "2026-03-29 00:00", "2026-03-29 08:00");
    has_fault(status(503), "2026-04-05 00:00", "2026-04-06 00:00");
    has_fault(drop, "2026-04-06 00:00", "2026-04-07 00:00");
    has_fault(no_second_page, "2026-04-09 00:00", "2026-04-10 00:00");
    has_fault(status(403, Operation::stats, listed.at(5)), "2026-04-10 00:00", "2026-04-11 00:00");
    live_until("2026-03-29 00:00");
    verify();
    live_until("2026-04-05 12:00");
    verify();

    live_until("2026-04-15 00:00", 30);
    server.stop(SIGINT);
    server.start();
    installation.look_at(installation.database_url());

    // The database goes in a run, and is not back before its date has ended.
    live_until("2026-04-20 00:00");
    kill();
    truth.was_cut_short(2026_y / 4 / 20);
    installation.config()["log"]["level"] = "warning";
    installation.config()["api"]["request_timeout"] = "500ms";
    Fault hang;
    hang.kind = Fault::Kind::hang;
    hang.after = 20;
    has_fault(hang, "2026-04-20 20:00", "2026-04-21 02:00");
    gate.close(at("2026-04-21 02:00"), 0);
    daemon.emplace(installation, core::format_instant(at("2026-04-20 20:00")) + ",3600");
    wait_until([this] {
        const auto requests = installation.api().requests();
        now = requests.back().at;
        return requests.back().faulty && now >= at("2026-04-20 20:00");
    });
    wait_for_ledger();
    truth.lost(now, at("2026-04-21 02:00"));
    server.stop(SIGINT);
    daemon->wait_for_log("interrupted, and not closed");
    server.start();
    installation.look_at(installation.database_url());
    live_until("2026-04-21 02:00");
    kill();
    truth.was_cut_short(2026_y / 4 / 21);
    // It is away whenever the daemon is there.
    server.stop(SIGINT);
    start("2026-04-21 05:00");
    daemon->wait_for_log("the database is not available");
    daemon->kill();
    daemon.reset();
    server.start();
    installation.look_at(installation.database_url());
    installation.config()["log"]["level"] = "error";
    installation.config()["api"].remove("request_timeout");
    start("2026-04-23 05:00");

    // Energy levels that are too late, whoever asks.
    has_fault(status(503, Operation::energy_levels), "2026-05-01 00:00", "2026-05-10 00:00");
    live_until("2026-05-08 00:00");
    verify();
    live_until("2026-05-09 00:00");
    verify();
    live_until("2026-05-10 00:00", 10);
    installation.config()["energy_levels"]["reporting_period_months"] = 3;
    reload();
    truth.set_quarters_from(2026_y / 7 / 1);

    // Nobody is there to ask for those of May.
    live_until("2026-05-31 00:00");
    kill();
    truth.was_cut_short(2026_y / 5 / 31);
    start("2026-06-09 05:00");
    live_until("2026-06-09 00:00");
    verify();

    for (const char* date : {"2026-06-16", "2026-06-17", "2026-06-18"}) {
        live_until(fmt::format("{} 00:00", date));
        verify();
    }

    // In summer, UTC's date ends after this slot: what closed with June is asked for a day later.
    live_until("2026-06-25 00:00", 10);
    installation.config()["schedule"]["daily_at"] = "02:30";
    reload();
    truth.set_daily_at(2026_y / 6 / 26, 2h + 30min);
    live_until("2026-07-02 00:00");
    verify();

    has_fault(status(503, Operation::stats), "2026-07-20 00:00", "2026-07-21 00:00");
    has_fault(status(503, Operation::reports), "2026-07-22 00:00", "2026-07-23 00:00");
    live_until("2026-07-20 05:00");
    verify();

    // A loss that is accepted by hand.
    live_until("2026-08-10 07:00");
    verify();
    stop();
    gate.open();
    truth.accepts_vanished(at("2026-08-10 12:00"), at("2026-08-10 13:00"));
    const Outcome accepted = installation.run(
        {"sync", "--quiet", "--accept-vanished", "--simulated-time", core::format_instant(at("2026-08-10 12:00"))});
    EXPECT_LE(accepted.exit_code, 1) << accepted;
    start("2026-08-10 13:00");

    live_until("2026-09-05 00:00", 12);
    EXPECT_GT(installation.count("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                 "backend_type = 'client backend' AND pid <> pg_backend_pid()) AS ended"),
              0);

    live_until("2026-09-10 00:00", 10);
    installation.config()["business_ids"]["stats"] = false;
    installation.config()["schedule"]["daily_at"] = "03:30";
    reload();
    truth.set_stats_per_business_id(2026_y / 9 / 11, false);
    truth.set_daily_at(2026_y / 9 / 11, 3h + 30min);

    live_until("2026-09-12 00:00", 10);
    stop();
    sync_daily(2026_y / 9 / 12, 2026_y / 10 / 21);
    start("2026-10-22 05:00");

    // The clocks go back, and the slot happens twice.
    has_fault(status(404, Operation::full_data), "2026-09-01 00:00", "2026-11-10 00:00");
    live_until("2026-10-25 00:00", 20);
    kill();
    verify();
    start(at("2026-10-25 03:10") + 1h);

    live_until("2026-11-05 00:00", 10);
    verify();
    installation.config()["business_ids"]["stats"] = true;
    reload();
    truth.set_stats_per_business_id(2026_y / 11 / 6, true);
    live_until("2026-11-15 00:00", 10);
    installation.config()["api"]["size_classes"] = std::vector<int>{50, 10000};
    reload();

    live_until("2026-11-17 00:00", 10);
    stop();
    sync_daily(2026_y / 11 / 17, 2026_y / 12 / 18);
    start("2026-12-19 05:00");

    live_until("2026-12-20 00:00", 20);
    kill();
    truth.was_cut_short(2026_y / 12 / 20);
    gate.open();
    // By hand before the slot: what fails is no gap before it has come, and the slot has a run of its own.
    has_fault(status(403, Operation::stats, listed.at(9)), "2026-12-28 00:00", "2026-12-29 00:00");
    now = at("2026-12-28 01:00");
    const Outcome early = installation.run({"sync", "--quiet", "--simulated-time", core::format_instant(now)});
    EXPECT_EQ(early.exit_code, exit_code::incomplete) << early;
    verify();
    start("2026-12-28 05:00");

    // A year later, on the last day on which the last quarter is not too late, much is still open.
    has_fault(status(503, Operation::energy_levels, listed.at(6)), "2027-01-01 00:00", "2027-01-10 00:00");
    has_fault(status(503, Operation::stats, listed.at(8)), "2027-01-08 00:00", "2027-01-09 00:00");
    has_fault(status(403, Operation::stats, listed.at(9)), "2027-01-08 00:00", "2027-01-09 00:00");
    live_until("2027-01-08 07:00");
    const HistoryTruth facts = verify();
    expect_each_cell_explained(facts);
    live_until("2027-01-09 00:00", 10);
    verify();
    live_until("2027-01-11 00:00");
    verify();
    stop();

    const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
    std::cout << "             a year in " << took.count() << " s\n";

    // There was something to be wrong about.
    const std::map<std::string, int> had = kinds(facts);
    for (const auto& [kind, count] : had) {
        std::cout << fmt::format("{:8} {}\n", count, kind);
    }
    for (const char* kind : {"energy_levels missing final gate_unknown",
                             "energy_levels missing final too_late",
                             "energy_levels missing final unknown_error",
                             "energy_levels missing open gate_unknown",
                             "energy_levels missing open unknown_error",
                             "energy_levels skipped",
                             "energy_levels stored",
                             "organisations missing final listing_incomplete",
                             "organisations missing final listing_shrank",
                             "organisations missing final no_run",
                             "organisations missing final not_asked",
                             "report missing final unknown_error",
                             "report missing open unknown_error",
                             "report stored",
                             "reports missing final no_org_access",
                             "reports missing final no_run",
                             "reports missing final not_asked",
                             "reports missing final unknown_error",
                             "usage_stats missing final no_org_access",
                             "usage_stats missing final no_run",
                             "usage_stats missing final transport",
                             "usage_stats missing final unknown_error",
                             "usage_stats missing open unknown_error",
                             "usage_stats skipped"}) {
        EXPECT_TRUE(had.contains(kind)) << kind;
    }
    EXPECT_TRUE(std::ranges::any_of(facts.daily, [](const std::string& line) { return line.ends_with("|t"); }))
        << "a counter fell";
    EXPECT_TRUE(std::ranges::any_of(facts.dates, [](const auto& date) { return date.second.complete == true; }));
    EXPECT_TRUE(std::ranges::any_of(
        facts.dates, [](const auto& date) { return date.second.ready == true && date.second.complete == false; }));
}

}  // namespace

}  // namespace heiasync::testing
