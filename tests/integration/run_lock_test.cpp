#include "history/run_lock.hpp"

#include "history/error.hpp"
#include "history/session.hpp"
#include "history/transaction.hpp"
#include "history/usage_stats.hpp"
#include "history_test.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>

namespace heiasync::history {
namespace {

using ::testing::HasSubstr;
using Kind = DatabaseError::Kind;

constexpr core::Instant taken_at{date::sys_days{2026_y / 7 / 1} + 1h};

constexpr const char* count_locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";

class RunLockTest : public HistoryTest {
protected:
    ~RunLockTest() override {
        database.release_run_lock();
        other.release_run_lock();
    }

    /// Runs a job to its end, and not the heartbeats, which have none.
    template <class Job>
    void transact_on(Database& on, Job job) {
        std::exception_ptr failure;
        bool ended = false;
        boost::asio::co_spawn(loop, on.transact(job), [&](std::exception_ptr thrown) {
            failure = thrown;
            ended = true;
        });
        loop.restart();
        while (!ended) {
            loop.run_one();
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
    }

    /// Nothing where it is not refused.
    std::optional<Kind> refusal_on(Database& on, const std::function<void(Transaction&)>& job) {
        try {
            transact_on(on, job);
        } catch (const DatabaseError& error) {
            return error.kind();
        }
        return std::nullopt;
    }

    /// What comes of a job after the session was lost, which a heartbeat may have found before.
    std::optional<Kind> refusal_after_loss(Database& on, const std::function<void(Transaction&)>& job) {
        const auto first = refusal_on(on, job);
        return first == Kind::away ? refusal_on(on, job) : first;
    }

    /// As a run takes it.
    bool take_on(Database& taker) {
        transact_on(taker, [this](Transaction& transaction) {
            taken = take_run_lock(transaction, {"a host", 4711, "run", taken_at});
        });
        if (taken) {
            taker.set_run_lock(*taken);
        }
        return taken.has_value();
    }

    void kill_holder() {
        query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
        wait_for_locks("0");
    }

    void wait_for_locks(const std::string& count) {
        heiasync::testing::wait_until([&] { return query_value(count_locks) == count; });
    }

    std::string holder() {
        std::string text;
        transact_on(other, [&text](Transaction& transaction) { text = describe_lock_holder(transaction); });
        return text;
    }

    std::function<void(Transaction&)> store(std::int64_t organisation_id) const {
        UsageStatsObservation observation;
        observation.sync_run_id = run;
        observation.organisation_id = organisation_id;
        observation.observed_on = 2026_y / 7 / 1;
        return [observation](Transaction& transaction) { store_usage_stats(transaction, observation); };
    }

    std::string organisations_stored() {
        return query_value("SELECT coalesce(string_agg(organisation_id::text, ','), '') FROM heiasync.usage_stats");
    }

    Database other{loop.get_executor(), url};
    std::optional<RunLock> taken;
    std::int64_t run = start_manual_run(2026_y / 7 / 1);
};

TEST_F(RunLockTest, IsTakenByOneAtATime) {
    ASSERT_TRUE(take_on(database));
    EXPECT_FALSE(take_on(other));
    database.release_run_lock();
    wait_for_locks("0");
    EXPECT_TRUE(take_on(other));
}

TEST_F(RunLockTest, IsTakenAgainByWhoLostItsConnection) {
    ASSERT_TRUE(take_on(database));
    transact_on(database, store(1));
    kill_holder();
    EXPECT_EQ(refusal_after_loss(database, store(2)), std::nullopt);
    EXPECT_EQ(organisations_stored(), "1,2");
    EXPECT_FALSE(take_on(other));
    EXPECT_THAT(holder(), HasSubstr("by process 4711 on host a host"));
}

TEST_F(RunLockTest, IsTakenAgainWhileNothingIsToBeStored) {
    ASSERT_TRUE(take_on(database));
    kill_holder();
    boost::asio::steady_timer patience{loop, 20s};
    bool waited_in_vain = false;
    patience.async_wait([&waited_in_vain](const auto&) { waited_in_vain = true; });
    loop.restart();
    while (query_value(count_locks) == "0" && !waited_in_vain) {
        loop.poll();
    }
    EXPECT_FALSE(waited_in_vain);
}

TEST_F(RunLockTest, WhoLostItToAnotherOneWritesNothingMore) {
    ASSERT_TRUE(take_on(database));
    kill_holder();
    ASSERT_TRUE(take_on(other));
    EXPECT_EQ(refusal_after_loss(database, store(1)), Kind::fenced);
    other.release_run_lock();
    wait_for_locks("0");
    EXPECT_EQ(refusal_on(database, store(3)), Kind::fenced) << "though nobody has it now";
    EXPECT_EQ(organisations_stored(), "");
}

TEST_F(RunLockTest, WhoLostItForAMomentWritesNothingMore) {
    ASSERT_TRUE(take_on(database));
    kill_holder();
    transact_on(other, [](Transaction& transaction) {
        EXPECT_TRUE(take_run_lock_for_a_moment(transaction, {"a host", 1, "close dead runs", taken_at}));
    });
    EXPECT_EQ(refusal_after_loss(database, store(1)), Kind::fenced);
}

TEST_F(RunLockTest, IsNotHadOnAnotherServer) {
    ASSERT_TRUE(take_on(database));
    const auto [id, timeline] =
        std::pair{taken->server.substr(0, taken->server.find('/')), taken->server.substr(taken->server.find('/') + 1)};
    EXPECT_EQ(id, query_value("SELECT system_identifier FROM pg_control_system()"));
    EXPECT_EQ(timeline, "00000001");
    RunLock elsewhere = *taken;
    elsewhere.server = id + "/00000002";
    database.set_run_lock(elsewhere);
    EXPECT_EQ(refusal_on(database, store(1)), Kind::replaced);
    elsewhere.epoch += 1;
    database.set_run_lock(elsewhere);
    EXPECT_EQ(refusal_on(database, store(1)), Kind::replaced) << "one that never heard of the run";
    EXPECT_EQ(organisations_stored(), "");
}

TEST_F(RunLockTest, ALostSessionThatTheServerHasNotLeftIsWaitedFor) {
    ASSERT_TRUE(take_on(database));
    kill_holder();
    pqxx::connection lost{url};
    pqxx::nontransaction session{lost};
    session.exec("SELECT pg_advisory_lock(1214605665, 2)");
    EXPECT_EQ(refusal_on(database, store(1)), Kind::away) << "the connection was lost";
    EXPECT_EQ(refusal_on(database, store(2)), Kind::away);
    session.exec("SELECT pg_advisory_unlock_all()");
    transact_on(database, store(3));
    EXPECT_EQ(organisations_stored(), "3");
}

TEST_F(RunLockTest, NobodyTakesItOverInTheMiddleOfATransaction) {
    ASSERT_TRUE(take_on(database));
    transact_on(database, [this](Transaction&) {
        EXPECT_THROW(query("SET lock_timeout = '10ms'; UPDATE heiasync.run_lock SET epoch = epoch + 1"),
                     pqxx::sql_error);
    });
}

TEST_F(RunLockTest, AHolderThatIsSilentIsEndedByTheServer) {
    static constexpr Statement read{"read the time-outs",
                                    "SELECT current_setting('idle_session_timeout'), "
                                    "current_setting('idle_in_transaction_session_timeout')"};
    std::string before;
    std::string after;
    ASSERT_TRUE(take_on(database));
    kill_holder();
    EXPECT_EQ(refusal_after_loss(database, store(1)), std::nullopt);
    const auto time_outs = [](Transaction& transaction) {
        const auto row = transaction.run(read)[0];
        return row[0].as<std::string>() + " " + row[1].as<std::string>();
    };
    transact_on(database, [&](Transaction& transaction) { before = time_outs(transaction); });
    database.release_run_lock();
    transact_on(database, [&](Transaction& transaction) { after = time_outs(transaction); });
    EXPECT_EQ(before, "8s 8s") << "also where it was taken again";
    EXPECT_EQ(after, "0 8s") << "a transaction never stands still";
}

TEST_F(RunLockTest, AHolderThatStandsStillInsideACopyIsEndedByWhoWaits) {
    pqxx::connection stopped{url};
    pqxx::work work{stopped};
    work.exec("SELECT pg_advisory_lock(1214605665, 2)");
    work.exec("CREATE TEMPORARY TABLE rows (number bigint)");
    pqxx::stream_to copy{work, "rows"};
    std::optional<HolderInCopy> seen;
    bool ended = false;
    const auto look = [&](std::chrono::seconds after) {
        transact_on(other, [&](Transaction& transaction) {
            ended = end_stuck_holder(transaction, seen, std::chrono::steady_clock::time_point{after});
        });
    };
    heiasync::testing::wait_until([&] {
        look(0s);
        return seen.has_value();
    });
    look(7s);
    EXPECT_FALSE(ended);
    seen->bytes -= 1;
    look(9s);
    EXPECT_FALSE(ended) << "it has gone on since";
    look(16s);
    EXPECT_FALSE(ended);
    look(17s);
    EXPECT_TRUE(ended);
    wait_for_locks("0");
    look(18s);
    EXPECT_FALSE(ended) << "nobody has the lock";
    EXPECT_THROW(copy.complete(), pqxx::failure);
}

TEST_F(RunLockTest, AHolderThatWaitsForTheApiIsNotSilent) {
    ASSERT_TRUE(take_on(database));
    const std::string sql =
        "SELECT state_change FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'";
    const std::string before = query_value(sql);
    boost::asio::steady_timer patience{loop, 7s};
    bool waited_in_vain = false;
    patience.async_wait([&waited_in_vain](const auto&) { waited_in_vain = true; });
    loop.restart();
    while (query_value(sql) == before && !waited_in_vain) {
        loop.poll();
    }
    EXPECT_FALSE(waited_in_vain);
}

TEST_F(RunLockTest, ASilentServerIsNoticed) {
    if (std::getenv("HEIASYNC_LONG_TESTS") == nullptr) {  // NOLINT(concurrency-mt-unsafe)
        GTEST_SKIP() << "takes half a minute: scripts/test --long";
    }
    int told = 0;
    DatabaseObserver observer;
    observer.silent = [&told] { ++told; };
    Database watched{loop.get_executor(), url, observer};
    ASSERT_TRUE(take_on(watched));
    const pid_t backend = std::stoi(query_value("SELECT pid FROM pg_locks WHERE locktype = 'advisory'"));
    ::kill(backend, SIGSTOP);
    boost::asio::steady_timer patience{loop, 50s};
    bool is_over = false;
    patience.async_wait([&is_over](const auto&) { is_over = true; });
    loop.restart();
    while (!is_over) {
        loop.run_one();
    }
    ::kill(backend, SIGCONT);
    EXPECT_EQ(told, 1);
    watched.release_run_lock();
}

TEST_F(RunLockTest, ItsHolderIsToldToThoseWhoFindItTaken) {
    EXPECT_EQ(holder(), "");
    ASSERT_TRUE(take_on(database));
    EXPECT_EQ(holder(),
              fmt::format("run {} (manual), by process 4711 on host a host, since 2026-07-01T01:00:00Z: 0 of 0 "
                          "organisations done",
                          run));
    database.release_run_lock();
    wait_for_locks("0");
    transact_on(database, [](Transaction& transaction) {
        EXPECT_TRUE(take_run_lock_to_migrate(transaction));
        raise_epoch_to_migrate(transaction, {"b host", 4712, "migrate", taken_at});
    });
    EXPECT_EQ(holder(), "migrate, by process 4712 on host b host, since 2026-07-01T01:00:00Z");
    database.release_run_lock();
    wait_for_locks("0");
    pqxx::connection stranger{url};
    pqxx::nontransaction{stranger}.exec("SELECT pg_advisory_lock(1214605665, 2)");
    EXPECT_THAT(holder(), HasSubstr("a session with the server's process id"));
}

}  // namespace
}  // namespace heiasync::history
