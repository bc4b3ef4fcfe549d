#include "installation.hpp"
#include "process.hpp"
#include "support/wait_until.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// The example of docs/consuming.md, as it stands there.

namespace heiasync::testing {

namespace {

namespace fs = std::filesystem;

std::string example_of_page() {
    std::ifstream page{HEIASYNC_CONSUMING_PAGE};
    std::string example;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line == "```sh") {
            inside = true;
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            example += line + "\n";
        }
    }
    return example;
}

class Consuming : public ::testing::Test {
protected:
    Consuming() {
        fs::create_directory(folder());
        history.tolerate(simulator::Violation::Kind::report_downloaded_twice);
        history.run({"migrate"});
    }

    ~Consuming() override {
        if (consumer) {
            ::kill(-consumer->pid(), SIGKILL);
        }
    }

    fs::path folder() const { return history.directory() / "kept"; }

    void follow(const std::string& url) {
        const auto script = history.write("follow.sh", example_of_page());
        const auto host = url.substr(url.find("host=") + 5);
        const auto name = url.substr(url.rfind('/', url.find('?')) + 1);
        consumer = std::make_unique<Process>(
            std::vector<std::string>{"/usr/bin/setsid", "/bin/sh", script.string(), folder().string()},
            Environment{{"PGHOST", host.substr(0, host.find('&'))},
                        {"PGDATABASE", name.substr(0, name.find('?'))},
                        {"PGUSER", "postgres"},
                        {"PGTARGETSESSIONATTRS", "read-write"},
                        {"PGAPPNAME", "consumer"}});
    }

    /// Every row that the example has kept, as often as it has.
    std::vector<std::string> kept() const {
        std::vector<std::string> rows;
        for (const auto& entry : fs::directory_iterator{folder()}) {
            if (entry.path().extension() == ".tsv") {
                std::ifstream file{entry.path()};
                for (std::string line; std::getline(file, line);) {
                    rows.push_back(line);
                }
            }
        }
        std::ranges::sort(rows);
        return rows;
    }

    std::vector<std::string> stored() const {
        std::vector<std::string> rows;
        for (const auto& row :
             query(history.database_url(),
                   "SELECT concat_ws(E'\\t', sync_task_id, organisation_id, business_id, observed_on, "
                   "coalesce(hh_core_accepted_membership_count::text, '\\N'), coalesce(app_use_count::text, '\\N')) "
                   "FROM heiasync.usage_stats JOIN heiasync.sync_tasks "
                   "USING (organisation_id, business_id, sync_run_id) WHERE stream = 'usage_stats'")) {
            rows.push_back(row.at(0));
        }
        std::ranges::sort(rows);
        return rows;
    }

    void expect_kept_as_stored(std::size_t at_least) {
        const auto expected = stored();
        ASSERT_GE(expected.size(), at_least);
        try {
            wait_until([&] { return kept() == expected; });
        } catch (const std::runtime_error&) {
            EXPECT_EQ(kept(), expected);
        }
    }

    PostgresServer server;

    std::unique_ptr<PostgresServer> replica;
    Installation history{small_world(), server};
    std::unique_ptr<Process> consumer;
};

TEST_F(Consuming, MissesNothingAndDoublesNothing) {
    follow(history.database_url());
    history.sync_on("2026-06-10");
    expect_kept_as_stored(30);

    // Its sessions end again and again while a run is going on.
    Process sync{history.command({"sync", "--simulated-time", after_slot("2026-06-11")})};
    const auto begun = history.requests(simulator::Operation::stats);
    history.api().wait_for_requests(begun + 5, simulator::Operation::stats);
    const std::string end_it =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'consumer'";
    wait_until([&] { return !query(history.database_url(), end_it).empty(); });
    sync.wait();
    wait_until([&] { return !query(history.database_url(), end_it).empty(); });
    expect_kept_as_stored(60);
    history.sync_on("2026-06-12");
    expect_kept_as_stored(90);
}

TEST_F(Consuming, TakesBackWhatAFailoverLost) {
    replica = server.standby();
    const std::string first = history.database_url();
    follow(replica->either_of(first));
    history.sync_on("2026-06-10");
    expect_kept_as_stored(30);
    const std::string received =
        "SELECT pg_last_wal_replay_lsn() >= '" + query_value(first, "SELECT pg_current_wal_lsn()") + "'";
    wait_until([&] { return query_value(replica->same_database(first), received) == "t"; });
    replica->stop(SIGINT);
    history.sync_on("2026-06-11");
    expect_kept_as_stored(60);

    // What was lost, the consumer has: its numbers are given out again.
    server.stop(SIGKILL);
    replica->start();
    replica->promote();
    history.look_at(replica->same_database(first));
    history.config()["database"]["url"] = history.database_url();
    EXPECT_LT(stored().size(), kept().size());
    history.sync_on("2026-06-12", {"--stream", "usage-stats"});
    expect_kept_as_stored(60);
}

}  // namespace

}  // namespace heiasync::testing
