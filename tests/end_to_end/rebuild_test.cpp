#include "content.hpp"
#include "installation.hpp"
#include "support/wait_until.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr int terminated = 143;
constexpr int interrupted = 130;
constexpr int busy = 75;

constexpr auto delete_typed_rows =
    "DELETE FROM heiasync.energy_level_results; DELETE FROM heiasync.report_results; "
    "DELETE FROM heiasync.report_instances; DELETE FROM heiasync.survey_questions; "
    "UPDATE heiasync.energy_levels SET document = NULL; UPDATE heiasync.report_versions SET document = NULL";

/// Documents of which some of the typed rows are there, and not all.
constexpr auto halves =
    "SELECT count(*) FROM ("
    "  SELECT document IS NOT NULL AS has_document, "
    "         (SELECT count(*) FROM heiasync.energy_level_results WHERE energy_level_id = parent.energy_level_id) AS "
    "rows, (SELECT count(*) FROM saved.energy_level_results WHERE energy_level_id = parent.energy_level_id) AS "
    "all_rows "
    "  FROM heiasync.energy_levels AS parent "
    "  UNION ALL "
    "  SELECT document IS NOT NULL, "
    "         (SELECT count(*) FROM heiasync.report_results WHERE report_version_id = parent.report_version_id) + "
    "         (SELECT count(*) FROM heiasync.report_instances WHERE report_version_id = parent.report_version_id), "
    "         (SELECT count(*) FROM saved.report_results WHERE report_version_id = parent.report_version_id) + "
    "         (SELECT count(*) FROM saved.report_instances WHERE report_version_id = parent.report_version_id) "
    "  FROM heiasync.reports AS parent) AS documents "
    "WHERE rows <> CASE WHEN has_document THEN all_rows ELSE 0 END";
constexpr auto rebuilt =
    "SELECT (SELECT count(*) FROM heiasync.energy_levels WHERE document IS NOT NULL) + "
    "       (SELECT count(*) FROM heiasync.report_versions WHERE document IS NOT NULL)";

bool catches(pid_t process, int signal) {
    std::ifstream status{fmt::format("/proc/{}/status", process)};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigCgt:")) {
            return ((std::stoull(line.substr(line.find('\t') + 1), nullptr, 16) >> (signal - 1)) & 1U) != 0;
        }
    }
    return false;
}

/// A history with energy levels and reports of two days.
class Rebuild : public ::testing::Test {
protected:
    Rebuild() {
        for (const auto* date : {"2026-06-02", "2026-07-01"}) {
            installation.make_every_count_known(date);
            EXPECT_EQ(installation.sync_on(date).exit_code, exit_code::done);
        }
        documents = installation.count(
            "SELECT (SELECT count(*) FROM heiasync.energy_levels) + (SELECT count(*) FROM heiasync.report_versions)");
        requests = installation.api().requests().size();
    }
    ~Rebuild() override { EXPECT_EQ(installation.api().requests().size(), requests) << "it asks no API"; }

    /// Every row of every relation, but the account of who takes the run lock.
    [[nodiscard]] std::vector<std::string> everything() const {
        std::istringstream relations{installation.value(
            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = "
            "'heiasync'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relname <> 'run_lock'")};
        std::vector<std::string> rows;
        for (std::string relation; relations >> relation;) {
            std::istringstream lines{installation.value(fmt::format(
                "SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM heiasync.{} AS t", relation))};
            for (std::string line; std::getline(lines, line);) {
                rows.push_back(relation + " " + line);
            }
        }
        std::ranges::sort(rows);
        return rows;
    }

    Outcome rebuild(std::vector<std::string> options = {}) {
        options.insert(options.begin(), "rebuild");
        return installation.run(options);
    }

    [[nodiscard]] std::string summary(std::int64_t changed) const {
        return fmt::format("{} documents, {} changed, 0 damaged in ", documents, changed);
    }

    Installation installation{tiny_world()};
    std::int64_t documents = 0;
    std::size_t requests = 0;
};

TEST_F(Rebuild, ChangesNothingWhereNothingIsAmiss) {
    const auto before = everything();
    const auto outcome = rebuild();
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out, StartsWith(summary(0)));
    EXPECT_EQ(row_difference(before, everything()), "");
    EXPECT_GT(documents, 10);
    EXPECT_THAT(rebuild({"--quiet"}).out, IsEmpty());
}

TEST_F(Rebuild, RestoresAllTypedRows) {
    const auto before = everything();
    installation.execute(delete_typed_rows);
    const auto outcome = rebuild();
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out, StartsWith(summary(documents)));
    EXPECT_EQ(row_difference(before, everything()), "");
}

TEST_F(Rebuild, IsOfTheStreamAndTheDatesAskedFor) {
    installation.execute(delete_typed_rows);
    installation.execute(
        "UPDATE heiasync.energy_levels SET fetched_at = '2026-06-30 20:59:59.999999+00' WHERE period_start = "
        "'2026-05-01'; UPDATE heiasync.energy_levels SET fetched_at = '2026-06-30 21:00:00+00' WHERE period_start = "
        "'2026-06-01'");
    const auto rows_of = [this](const char* month) {
        return installation.count(
            fmt::format("SELECT count(*) FROM heiasync.energy_level_results WHERE period_start = '{}'", month));
    };
    EXPECT_EQ(rebuild({"--stream", "energy-levels", "--since", "2026-07-01"}).exit_code, exit_code::done);
    EXPECT_EQ(rows_of("2026-05-01"), 0) << "a microsecond before that date begins in Finland";
    EXPECT_GT(rows_of("2026-06-01"), 0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.report_results"), 0);
    EXPECT_EQ(rebuild({"--stream", "reports"}).exit_code, exit_code::done);
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.report_results"), 0);
    EXPECT_EQ(rows_of("2026-05-01"), 0);
    EXPECT_THAT(rebuild({"--since", "2026-07-02"}).out, StartsWith("0 documents, "));
    EXPECT_THAT(rebuild({"--since", "0001-01-01"}).out, StartsWith(fmt::format("{} documents, ", documents)));
}

TEST_F(Rebuild, NamesADamagedDocumentLeavesItAndGoesOn) {
    const auto id = installation.value(
        "SELECT min(energy_level_id) FROM heiasync.energy_levels WHERE organisation_id = (SELECT min(organisation_id) "
        "FROM heiasync.energy_levels)");
    const auto organisation =
        installation.value("SELECT organisation_id FROM heiasync.energy_levels WHERE energy_level_id = " + id);
    const auto report = installation.value("SELECT min(report_version_id) FROM heiasync.report_originals");
    const auto before = everything();
    installation.execute(fmt::format(
        "CREATE SCHEMA kept; CREATE TABLE kept.pieces AS SELECT * FROM heiasync.energy_level_originals WHERE "
        "energy_level_id = {0}; UPDATE heiasync.energy_level_originals SET document_sha256 = '\\x00' WHERE "
        "energy_level_id = {0}; CREATE TABLE kept.report AS SELECT * FROM heiasync.report_originals WHERE "
        "report_version_id = {1}; DELETE FROM heiasync.report_originals WHERE report_version_id = {1}",
        id, report));
    installation.execute(delete_typed_rows);
    const auto outcome = rebuild({"--quiet"});
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr(fmt::format("warning organisation {}, energy levels {}: ", organisation, id)),
                      HasSubstr(fmt::format("report version {}: the bytes of a stored document are missing", report)),
                      HasSubstr("are left as they are")));
    EXPECT_EQ(installation.count(
                  fmt::format("SELECT count(*) FROM heiasync.energy_level_results WHERE energy_level_id = {}", id)),
              0);
    EXPECT_EQ(installation.count(rebuilt), documents - 2) << "all others are whole again";
    EXPECT_THAT(rebuild().out, HasSubstr(fmt::format("{} documents, 0 changed, 2 damaged in ", documents)));

    installation.execute(fmt::format(
        "UPDATE heiasync.energy_level_originals AS piece SET document_sha256 = kept.pieces.document_sha256 FROM "
        "kept.pieces WHERE piece.energy_level_id = {}; INSERT INTO heiasync.report_originals TABLE kept.report; "
        "DROP SCHEMA kept CASCADE",
        id));
    EXPECT_THAT(rebuild().out, StartsWith(summary(2)));
    EXPECT_EQ(row_difference(before, everything()), "");
}

TEST_F(Rebuild, AReaderSeesWholeDocumentsAndWaitsForNothing) {
    installation.save_history();
    installation.execute(delete_typed_rows);
    ASSERT_EQ(installation.count(halves), 0);
    std::atomic<int> looks = 0;
    std::vector<std::string> found;
    auto longest = std::chrono::steady_clock::duration::zero();
    {
        const std::jthread reader{[&](const std::stop_token& ended) {
            pqxx::connection connection{installation.database_url()};
            while (!ended.stop_requested()) {
                try {
                    const auto began = std::chrono::steady_clock::now();
                    pqxx::work work{connection};
                    if (const auto count = work.exec(halves)[0][0].as<int>(); count > 0) {
                        found.push_back(fmt::format("{} halves", count));
                    }
                    work.exec("SELECT count(*), sum(average_points) FROM heiasync.energy_level_question_results");
                    work.exec("SELECT count(*), sum(average_points) FROM heiasync.report_question_results");
                    work.commit();
                    longest = std::max(longest, std::chrono::steady_clock::now() - began);
                    ++looks;
                } catch (const std::exception& error) {
                    found.emplace_back(error.what());
                }
            }
        }};
        const auto outcome = rebuild();
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        wait_until([&] { return looks > 2; });
    }
    EXPECT_THAT(found, IsEmpty());
    EXPECT_LT(longest, std::chrono::seconds{3});
    EXPECT_EQ(installation.count(rebuilt), documents);
    EXPECT_EQ(installation.count(halves), 0);
    installation.execute("DROP SCHEMA saved CASCADE");
}

/// One that comes to a document in the middle which somebody has locked, and waits there.
class RebuildHeldUp : public Rebuild {
protected:
    RebuildHeldUp() {
        installation.save_history();
        installation.execute(delete_typed_rows);
        // Not in one statement: rows that OFFSET passes over are locked, too.
        lock.exec(
            "SELECT FROM heiasync.energy_levels WHERE energy_level_id = (SELECT energy_level_id FROM "
            "heiasync.energy_levels ORDER BY organisation_id, energy_level_id OFFSET (SELECT count(*) / 2 FROM "
            "heiasync.energy_levels) LIMIT 1) FOR UPDATE");
    }
    ~RebuildHeldUp() override { installation.execute("DROP SCHEMA saved CASCADE"); }

    void wait_for_it() {
        wait_until([this] {
            return installation.count(
                       "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                       "datname = current_database()") > 0;
        });
    }

    void expect_whole_documents() {
        EXPECT_EQ(installation.count(halves), 0);
        EXPECT_GT(installation.count(rebuilt), 0);
        EXPECT_LT(installation.count(rebuilt), documents);
    }

    void expect_completion() {
        const auto next = rebuild();
        EXPECT_EQ(next.exit_code, exit_code::done) << next;
        EXPECT_EQ(installation.count(rebuilt), documents);
        EXPECT_EQ(installation.count(halves), 0);
    }

    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
};

TEST_F(RebuildHeldUp, EndsAfterTheDocumentInHandWhenItIsStopped) {
    Process process{installation.command({"rebuild"})};
    wait_for_it();
    process.signal(SIGTERM);
    lock.abort();
    const auto outcome = process.wait();
    EXPECT_EQ(outcome.exit_code, terminated) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("`heiasyncd rebuild` completes it"));
    EXPECT_THAT(outcome.out, MatchesRegex(fmt::format("[0-9]+ of {} documents, .*\n", documents)));
    expect_whole_documents();
    expect_completion();
}

TEST_F(RebuildHeldUp, EndsAtOnceWithASecondSignal) {
    Process process{installation.command({"rebuild"})};
    wait_for_it();
    process.signal(SIGTERM);
    wait_until([&process] { return !catches(process.pid(), SIGTERM); });
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds{2}).exit_code, terminated);
    lock.abort();
    expect_whole_documents();
    expect_completion();
}

TEST_F(RebuildHeldUp, EndsWithinFiveSecondsThoughTheDatabaseHangs) {
    Process process{installation.command({"rebuild"})};
    wait_for_it();
    process.signal(SIGINT);
    const auto outcome = process.wait(std::chrono::seconds{6});
    EXPECT_EQ(outcome.exit_code, interrupted) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("`heiasyncd rebuild` goes on"));
    lock.abort();
    expect_whole_documents();
    expect_completion();
}

TEST_F(RebuildHeldUp, KeepsEveryoneElseFromWriting) {
    Process process{installation.command({"rebuild"})};
    wait_for_it();
    for (const auto& outcome : {rebuild(), installation.sync_on("2026-07-02"), installation.run({"migrate"})}) {
        EXPECT_EQ(outcome.exit_code, busy) << outcome;
        EXPECT_THAT(outcome.err, AllOf(HasSubstr("rebuild, by process "), HasSubstr("--wait")));
    }
    Process waiting{installation.command({"rebuild", "--wait"})};
    waiting.wait_for_err("waiting: another run is going on: rebuild, by process ");
    lock.abort();
    EXPECT_EQ(process.wait().exit_code, exit_code::done);
    const auto outcome = waiting.wait();
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out, StartsWith(summary(0)));
}

TEST_F(RebuildHeldUp, ShowsABarOnATerminal) {
    Terminal terminal{installation.command({"rebuild"}), 80};
    const auto has = [&terminal](const std::string& pattern) {
        return std::ranges::any_of(terminal.screen().overwritten(), [&pattern](const std::string& line) {
            return ::testing::Matches(MatchesRegex(pattern))(line);
        });
    };
    wait_for_it();
    lock.abort();
    EXPECT_EQ(terminal.wait(), exit_code::done);
    EXPECT_TRUE(has("counting the documents \\.\\.\\. *"));
    EXPECT_TRUE(
        has(fmt::format("[0-9]+ of {} documents \\[#*\\.*\\] [0-9]+ %, [0-9]+ changed, 0 damaged, .*", documents)))
        << terminal.sent();
    EXPECT_THAT(terminal.screen().torn(), IsEmpty());
    EXPECT_THAT(terminal.screen().lines(), Contains(StartsWith(summary(documents))));
}

TEST(RebuildCommand, WaitsForNoRunUnlessItIsTold) {
    Installation installation{tiny_world()};
    simulator::Fault fault;
    fault.kind = simulator::Fault::Kind::hang;
    fault.operation = simulator::Operation::stats;
    fault.after = 3;
    installation.api().fail(fault);
    Process sync{installation.command({"sync", "--simulated-time", after_slot("2026-07-01")})};
    installation.api().wait_for_requests(4, simulator::Operation::stats);
    const auto outcome = installation.run({"rebuild"});
    EXPECT_EQ(outcome.exit_code, busy) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("another run is going on: run 1 (manual), by process "));
    Process waiting{installation.command({"rebuild", "--wait"})};
    waiting.wait_for_err("waiting: another run is going on: run 1 (manual)");
    Process impatient{installation.command({"rebuild", "--wait"})};
    impatient.wait_for_err("waiting: ");
    impatient.signal(SIGINT);
    EXPECT_EQ(impatient.wait().exit_code, interrupted);
    installation.api().clear_faults();
    sync.signal(SIGTERM);
    EXPECT_EQ(sync.wait().exit_code, terminated);
    EXPECT_EQ(waiting.wait().exit_code, exit_code::done);
}

TEST(RebuildCommand, NeedsTheSchemaItsOwnerAndTheServer) {
    Installation installation{tiny_world()};
    const auto without_schema = installation.run({"rebuild"});
    EXPECT_EQ(without_schema.exit_code, exit_code::configuration) << without_schema;
    EXPECT_THAT(without_schema.err, HasSubstr("run `heiasyncd migrate`"));

    ASSERT_EQ(installation.run({"migrate"}).exit_code, exit_code::done);
    installation.execute(
        "DROP ROLE IF EXISTS rebuild_writer; CREATE ROLE rebuild_writer LOGIN; GRANT USAGE ON SCHEMA heiasync TO "
        "rebuild_writer; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA heiasync TO rebuild_writer");
    const std::string owner = installation.database_url();
    installation.config()["database"]["url"] = PostgresServer::as_role(owner, "rebuild_writer");
    const auto writer = installation.run({"rebuild"});
    EXPECT_EQ(writer.exit_code, exit_code::configuration) << writer;
    EXPECT_THAT(writer.err,
                AllOf(HasSubstr("the role rebuild_writer may not replace rows"), HasSubstr("database.owner_url")));
    installation.config()["database"]["owner_url"] = owner;
    EXPECT_EQ(installation.run({"rebuild"}).exit_code, exit_code::done);
    installation.execute("DROP OWNED BY rebuild_writer; DROP ROLE rebuild_writer");

    installation.config()["database"]["owner_url"] = "postgresql:///nothing?host=/nowhere";
    const auto away = installation.run({"rebuild"});
    EXPECT_EQ(away.exit_code, exit_code::unavailable) << away;
}

}  // namespace

}  // namespace heiasync::testing
