#pragma once

#include "documents/original.hpp"
#include "history/database.hpp"
#include "history/sync_runs.hpp"
#include "support/postgres.hpp"
#include "support/run_awaitable.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::history {

using namespace date::literals;
using namespace std::chrono_literals;
using heiasync::testing::PostgresServer;

inline documents::Original original_of(std::string_view text) {
    documents::OriginalWriter writer;
    writer.write(text);
    return writer.finish();
}

/// A database with the newest schema, and the ways to it: through history::Database, and around it.
class HistoryTest : public ::testing::Test {
protected:
    template <class Job>
    auto transact(Job job) {
        return heiasync::testing::run(loop, database.transact(job));
    }

    /// The kind of the DatabaseError that the job ends with.
    template <class Job>
    DatabaseError::Kind refusal(Job job) {
        try {
            transact(std::move(job));
        } catch (const DatabaseError& error) {
            last_error = error.what();
            return error.kind();
        }
        throw std::logic_error{"it was not refused"};
    }

    std::vector<std::vector<std::string>> query(const std::string& sql) { return heiasync::testing::query(url, sql); }
    std::string query_value(const std::string& sql) { return heiasync::testing::query_value(url, sql); }

    /// Ends every session of the program on this database.
    void kill_sessions() {
        query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'heiasyncd'");
    }

    std::int64_t start_manual_run(core::Date run_on) {
        NewRun run;
        run.run_on = run_on;
        run.started_at = date::sys_days{run_on};
        run.host = "host";
        run.version = "1";
        return transact([&run](Transaction& transaction) { return start_run(transaction, run); });
    }

    std::string url = PostgresServer::shared().create_migrated_database();
    boost::asio::io_context loop;
    Database database{loop.get_executor(), url};
    std::string last_error;
};

}  // namespace heiasync::history
