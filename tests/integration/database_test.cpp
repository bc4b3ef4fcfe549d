#include "history/organisations.hpp"
#include "history/transaction.hpp"
#include "history/usage_stats.hpp"
#include "history_test.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <latch>
#include <stdexcept>
#include <thread>

namespace heiasync::history {
namespace {

namespace asio = boost::asio;
using Kind = DatabaseError::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<KnownOrganisation> read_known(Transaction& transaction) {
    return known_organisations(transaction, 2026_y / 7 / 1);
}

class DatabaseTest : public HistoryTest {
protected:
    UsageStatsObservation observation(std::int64_t run) const {
        UsageStatsObservation result;
        result.sync_run_id = run;
        result.organisation_id = 7;
        result.observed_on = 2026_y / 7 / 1;
        return result;
    }
};

TEST_F(DatabaseTest, GivesBackWhatTheJobReturns) {
    EXPECT_EQ(transact([](Transaction&) { return 42; }), 42);
    EXPECT_EQ(transact([](Transaction&) { return std::string{"text"}; }), "text");
}

TEST_F(DatabaseTest, WhatIsDoneOnceASessionIsDoneAgainWhereItWasUndone) {
    const auto make_room = [](Transaction& transaction) {
        transaction.execute_once("make room", "CREATE TEMP TABLE room ()");
        transaction.execute("use it", "INSERT INTO room DEFAULT VALUES");
    };
    EXPECT_THROW(transact([&](Transaction& transaction) {
                     make_room(transaction);
                     throw std::runtime_error{"undone"};
                 }),
                 std::runtime_error);
    for (int i = 0; i < 2; ++i) {
        transact([&](Transaction& transaction) {
            make_room(transaction);
            make_room(transaction);
        });
    }
}

TEST_F(DatabaseTest, AServerThatTakesWritesNoMoreIsLeftForOneThatDoes) {
    PostgresServer primary;
    const std::string url_there = primary.create_database();
    const auto standby = primary.standby();
    standby->promote();
    Database either{loop.get_executor(), standby->either_of(url_there)};
    const auto make_table = [&either, this](const std::string& name) {
        auto job = [&name](Transaction& transaction) {
            transaction.execute("make a table", "CREATE TABLE public." + name + " ()");
        };
        heiasync::testing::run(loop, either.transact(job));
    };
    make_table("first");
    const std::string writer = url_there + "&options=-cdefault_transaction_read_only%3Doff";
    heiasync::testing::query(writer, "ALTER SYSTEM SET default_transaction_read_only = on");
    heiasync::testing::query(writer, "SELECT pg_reload_conf()");
    // The session takes writes until it has heard of it.
    const auto refused = [&make_table](const std::string& name) {
        try {
            make_table(name);
        } catch (const DatabaseError& error) {
            EXPECT_EQ(error.kind(), Kind::away);
            return true;
        }
        return false;
    };
    int number = 0;
    heiasync::testing::wait_until([&] { return refused(fmt::format("before_{}", ++number)); });
    make_table("second");
    const auto is_on = [](const std::string& at, const std::string& name) {
        return heiasync::testing::query_value(at, "SELECT to_regclass('public." + name + "') IS NOT NULL");
    };
    EXPECT_EQ(is_on(url_there, "first"), "t");
    EXPECT_EQ(is_on(url_there, "second"), "f");
    EXPECT_EQ(is_on(standby->same_database(url_there), "second"), "t");
}

TEST_F(DatabaseTest, RunsTheJobOnAnotherThreadAndResumesOnTheCallers) {
    std::thread::id job_thread;
    std::thread::id resumed_on;
    auto work = [&]() -> asio::awaitable<void> {
        auto job = [&](Transaction&) { job_thread = std::this_thread::get_id(); };
        co_await database.transact(job);
        resumed_on = std::this_thread::get_id();
    };
    heiasync::testing::run(loop, work());
    EXPECT_EQ(resumed_on, std::this_thread::get_id());
    EXPECT_NE(job_thread, std::this_thread::get_id());
}

TEST_F(DatabaseTest, AnExceptionOfTheJobArrivesAndUndoesIt) {
    const auto job = [](Transaction& transaction) {
        record_settings(transaction, {"Europe/Helsinki", "04:30", "Europe/Helsinki", 1, 5, 7, true, true, {50}}, {});
        throw std::out_of_range{"the job's own"};
    };
    EXPECT_THROW(transact(job), std::out_of_range);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.settings_history"), "0");
}

TEST_F(DatabaseTest, AKilledSessionIsAwayOnceAndReplaced) {
    const auto run = start_manual_run(2026_y / 7 / 1);
    const auto kind = refusal([&](Transaction& transaction) {
        store_usage_stats(transaction, observation(run));
        kill_sessions();
        store_usage_stats(transaction, observation(run));
    });
    EXPECT_EQ(kind, Kind::away);
    transact([&](Transaction& transaction) { store_usage_stats(transaction, observation(run)); });
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.usage_stats"), "1") << "half of the first came through";
}

TEST_F(DatabaseTest, AnIdleSessionThatWasKilledIsAwayOnceAndReplaced) {
    transact([](Transaction&) {});
    kill_sessions();
    EXPECT_EQ(refusal(read_known), Kind::away);
    EXPECT_THAT(transact(read_known), IsEmpty());
}

TEST_F(DatabaseTest, AConnectionLostAtTheCommitIsInDoubt) {
    const auto run = start_manual_run(2026_y / 7 / 1);
    const auto kind = refusal([&](Transaction& transaction) {
        store_usage_stats(transaction, observation(run));
        read_known(transaction);
        kill_sessions();
    });
    EXPECT_EQ(kind, Kind::in_doubt);
}

TEST_F(DatabaseTest, RefusedDataIsNotQuotedAndTheSessionGoesOn) {
    const auto run = start_manual_run(2026_y / 7 / 1);
    UsageStatsObservation twice = observation(run);
    twice.business_id = "0424242-4";
    const auto store = [&](Transaction& transaction) { store_usage_stats(transaction, twice); };
    const auto pid = [this] {
        return query_value(
            "SELECT string_agg(pid::text, ',') FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'heiasyncd'");
    };
    transact(store);
    const std::string before = pid();
    EXPECT_EQ(refusal(store), Kind::refused);
    EXPECT_THAT(last_error,
                AllOf(HasSubstr("store usage statistics"), HasSubstr("23505"), Not(HasSubstr("0424242-4"))));
    transact(read_known);
    EXPECT_EQ(pid(), before);
}

TEST_F(DatabaseTest, AMissingSchemaIsSaidToBeThat) {
    query("DROP SCHEMA heiasync CASCADE");
    EXPECT_EQ(refusal([](Transaction& transaction) { accepted_members(transaction, 2026_y / 7 / 1); }), Kind::schema);
    EXPECT_EQ(origin(url), Origin::empty);
}

TEST_F(DatabaseTest, AServerThatTakesNoWritesIsAway) {
    query(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
        "current_database()); END $$");
    EXPECT_EQ(refusal(read_known), Kind::away);
}

TEST_F(DatabaseTest, WhoeverIsCancelledWaitsForTheJobInHand) {
    std::latch begun{1};
    std::latch go_on{1};
    bool committed = false;
    asio::cancellation_signal cancel;
    auto work = [&]() -> asio::awaitable<void> {
        auto job = [&](Transaction& transaction) {
            begun.count_down();
            go_on.wait();
            record_settings(transaction, {"UTC", "04:30", "UTC", 1, 5, 7, true, true, {50}}, {});
        };
        co_await database.transact(job);
        committed = true;
    };
    std::exception_ptr failure;
    asio::co_spawn(loop, work(),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { failure = e; }));
    asio::post(loop, [&] {
        begun.wait();
        cancel.emit(asio::cancellation_type::all);
        go_on.count_down();
    });
    loop.run();
    EXPECT_TRUE(committed) << "the frame went while the thread was using it";
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.settings_history"), "1");
}

TEST_F(DatabaseTest, MayGoWhileNobodyWaitsForTheResultAnyMore) {
    std::latch begun{1};
    auto short_lived = std::make_unique<asio::io_context>();
    auto second = std::make_unique<Database>(short_lived->get_executor(), url);
    auto work = [&]() -> asio::awaitable<void> {
        auto job = [&](Transaction& transaction) {
            begun.count_down();
            return read_known(transaction);
        };
        co_await second->transact(job);
    };
    asio::co_spawn(*short_lived, work(), asio::detached);
    short_lived->run_one();
    begun.wait();
    second.reset();
    short_lived.reset();
}

}  // namespace
}  // namespace heiasync::history
