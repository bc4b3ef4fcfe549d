#include "content.hpp"
#include "installation.hpp"
#include "originals.hpp"
#include "support/wait_until.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int busy = 75;
constexpr int interrupted = 130;

/// What the ledger keeps of an organisation: ids and no names.
const std::set<std::string> ledger{"sync_tasks", "sync_runs", "listings", "run_lock", "erasures"};

/// A history with energy levels and reports of two days.
class Forget : public ::testing::Test {
protected:
    Forget() {
        for (const auto* date : {"2026-06-02", "2026-07-01"}) {
            installation.make_every_count_known(date);
            EXPECT_EQ(installation.sync_on(date).exit_code, exit_code::done);
        }
        organisation = installation.count(
            "SELECT organisation_id FROM heiasync.report_versions JOIN heiasync.report_instances "
            "USING (organisation_id, report_version_id) WHERE jsonb_array_length(open_questions) > 0 "
            "GROUP BY organisation_id HAVING count(DISTINCT report_id) > 1 ORDER BY organisation_id LIMIT 1");
        report = installation.count(
            fmt::format("SELECT min(report_id) FROM heiasync.report_versions JOIN heiasync.report_instances USING "
                        "(organisation_id, report_version_id) WHERE organisation_id = {} AND "
                        "jsonb_array_length(open_questions) > 0",
                        organisation));
        installation.execute("ANALYZE");
    }

    Outcome forget(std::vector<std::string> options) const {
        options.insert(options.begin(), "forget");
        return installation.run(options);
    }

    [[nodiscard]] static std::string text(std::int64_t id) { return std::to_string(id); }

    /// How many rows each table has of the organisation, and of all others.
    [[nodiscard]] std::map<std::string, std::string> rows(bool of_the_organisation) const {
        std::map<std::string, std::string> counts;
        for (const auto& table :
             installation.lines("SELECT DISTINCT table_name FROM information_schema.columns JOIN "
                                "information_schema.tables USING (table_schema, table_name) WHERE table_schema = "
                                "'heiasync' AND column_name = 'organisation_id' AND table_type = 'BASE TABLE'")) {
            counts[table] = installation.value(
                fmt::format("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') "
                            "FROM heiasync.{} AS t WHERE organisation_id {} {}",
                            table, of_the_organisation ? "=" : "<>", organisation));
        }
        return counts;
    }

    /// Every row of every table, every document that is kept, and what the planner knows of their values.
    [[nodiscard]] std::string everything() const {
        std::string all;
        for (const auto& row : installation.dump()) {
            all += row + '\n';
        }
        for (const auto& document : kept_documents(installation, "report_originals", "report_version_id")) {
            all += document;
        }
        for (const auto& document : kept_documents(installation, "energy_level_originals", "energy_level_id")) {
            all += document;
        }
        for (const auto& sample :
             installation.lines("SELECT concat_ws(' ', tablename, attname, most_common_vals, histogram_bounds, "
                                "most_common_elems) FROM pg_stats WHERE schemaname = 'heiasync'")) {
            all += sample + '\n';
        }
        return all;
    }

    [[nodiscard]] std::vector<std::string> documents_of(const std::string& where) const {
        return kept_documents(installation, "report_originals", "report_version_id", where);
    }

    [[nodiscard]] std::string reports_of_the_organisation() const {
        return fmt::format("organisation_id = {}", organisation);
    }
    [[nodiscard]] std::string versions_of_the_report() const {
        return fmt::format(
            "organisation_id = {} AND report_version_id IN (SELECT report_version_id FROM heiasync.report_versions "
            "WHERE report_id = {})",
            organisation, report);
    }

    /// What the next sync asks of the organisation.
    [[nodiscard]] std::size_t requests_of_the_organisation(std::string_view date) {
        const auto before = installation.api().requests().size();
        EXPECT_EQ(installation.sync_on(date).exit_code, exit_code::done);
        const auto requests = installation.api().requests();
        return static_cast<std::size_t>(
            std::ranges::count_if(requests.begin() + static_cast<std::ptrdiff_t>(before), requests.end(),
                                  [this](const auto& request) { return request.organisation == organisation; }));
    }

    void expect_nothing_to_rebuild() const {
        const auto outcome = installation.run({"rebuild"});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        EXPECT_THAT(outcome.out, HasSubstr(" 0 changed, 0 damaged"));
    }

    Installation installation{tiny_world()};
    std::int64_t organisation = 0;
    std::int64_t report = 0;
};

TEST_F(Forget, LeavesNothingOfAnOrganisationButAReceipt) {
    const auto world = installation.api().world().organisation(organisation, instant_after_slot("2026-07-01")).value();
    const std::vector<std::string> names{world.name, world.business_id, world.company_code};
    for (const auto& name : names) {
        ASSERT_THAT(everything(), HasSubstr(name));
    }
    // As another decoder may have read them.
    installation.execute(
        "WITH questions AS (INSERT INTO heiasync.question_sets (digest) VALUES ('earlier') RETURNING question_set_id) "
        "INSERT INTO heiasync.survey_questions (question_set_id, question_ordinal, question_id, title) "
        "SELECT question_set_id, 1, 1, '{\"en\": \"Nobody else was asked this\"}' FROM questions");
    const auto mine = rows(true);
    const auto others = rows(false);
    std::int64_t erasable = 0;
    for (const auto& [table, count] : mine) {
        erasable += ledger.contains(table) ? 0 : std::stoll(count);
    }

    const auto dry = forget({"--organisation", text(organisation), "--dry-run"});
    EXPECT_EQ(dry.exit_code, exit_code::done) << dry;
    EXPECT_THAT(dry.out, AllOf(StartsWith(fmt::format("organisation {}: ", organisation)),
                               HasSubstr(" rows would be erased\n"), HasSubstr("usage_stats")));
    EXPECT_EQ(rows(true), mine);

    const auto outcome =
        forget({"--organisation", text(organisation), "--confirm", text(organisation), "--reason", "ticket 4711"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    for (const auto& [table, count] : rows(true)) {
        if (table == "erasures") {
            EXPECT_THAT(count, StartsWith("1 "));
        } else if (ledger.contains(table)) {
            EXPECT_EQ(count, mine.at(table)) << table;
        } else {
            EXPECT_EQ(count, "0 ") << table;
        }
    }
    EXPECT_EQ(rows(false), others);
    for (const auto& name : names) {
        EXPECT_THAT(everything(), Not(HasSubstr(name)));
    }
    EXPECT_THAT(everything(), Not(HasSubstr("Nobody else was asked this")));
    EXPECT_EQ(
        installation.count("SELECT count(*) FROM heiasync.question_sets AS questions WHERE NOT EXISTS (SELECT FROM "
                           "heiasync.report_versions WHERE question_set_id = questions.question_set_id) AND NOT "
                           "EXISTS (SELECT FROM heiasync.energy_levels WHERE question_set_id = "
                           "questions.question_set_id)"),
        0)
        << "questions may be an organisation's own";
    EXPECT_EQ(
        installation.value("SELECT what || '|' || organisation_id || '|' || coalesce(report_id, 0) || '|' || reason "
                           "FROM heiasync.erasures"),
        fmt::format("organisation|{}|0|ticket 4711", organisation));
    EXPECT_GE(installation.count("SELECT rows FROM heiasync.erasures"), erasable) << "and its own questions";
    EXPECT_THAT(installation.value("SELECT erased_by FROM heiasync.erasures"), HasSubstr("@"));

    EXPECT_EQ(requests_of_the_organisation("2026-07-02"), 0U);
    EXPECT_THAT(installation.run({"sync", "--dry-run", "--simulated-time", after_slot("2026-07-02")}).out,
                Not(HasSubstr(fmt::format("organisations/{}/", organisation))));
    for (const auto& name : names) {
        EXPECT_THAT(everything(), Not(HasSubstr(name)));
    }
    EXPECT_EQ(installation.count(
                  fmt::format("SELECT count(*) FROM heiasync.sync_gaps WHERE organisation_id = {}", organisation)),
              0);
    EXPECT_EQ(installation.value("SELECT heiasync.complete('2026-07-01')::text || heiasync.complete('2026-07-02')"),
              "truetrue");
    expect_nothing_to_rebuild();
}

TEST_F(Forget, OfEverybodyLeavesNoSamplesOfTablesThatAreEmptyThen) {
    std::set<std::string> texts;
    for (const auto* query :
         {"SELECT DISTINCT name FROM heiasync.organisations", "SELECT DISTINCT team_name FROM heiasync.report_results",
          "SELECT DISTINCT team_name FROM heiasync.energy_level_results",
          "SELECT DISTINCT title FROM heiasync.report_versions"}) {
        for (const auto& text : installation.lines(query)) {
            if (text.size() > 5) {
                texts.insert(text);
            }
        }
    }
    ASSERT_FALSE(texts.empty());
    for (const auto& id : installation.lines("SELECT organisation_id FROM heiasync.organisations")) {
        ASSERT_EQ(forget({"--organisation", id, "--confirm", id}).exit_code, exit_code::done);
    }
    const auto left = everything();
    for (const auto& text : texts) {
        EXPECT_THAT(left, Not(HasSubstr(text)));
    }
}

TEST_F(Forget, WhoseReceiptIsLiftedIsFetchedAgainAndMissesNothingOfBefore) {
    ASSERT_EQ(forget({"--organisation", text(organisation), "--confirm", text(organisation)}).exit_code,
              exit_code::done);
    EXPECT_EQ(requests_of_the_organisation("2026-07-02"), 0U);
    installation.execute("UPDATE heiasync.erasures SET lifted_at = heiasync.current_instant()");
    EXPECT_GT(requests_of_the_organisation("2026-07-03"), 0U);
    EXPECT_THAT(
        installation.lines(fmt::format("SELECT * FROM heiasync.sync_gaps WHERE organisation_id = {}", organisation)),
        IsEmpty());
    EXPECT_EQ(installation.count(fmt::format("SELECT count(DISTINCT expected_on) FROM heiasync.expected('2026-06-01', "
                                             "'2026-07-03') WHERE organisation_id = {}",
                                             organisation)),
              1);
    EXPECT_THAT(installation.run({"why", "2026-07-01", "--organisation", text(organisation)}).out,
                HasSubstr("usage_stats: erased by `heiasyncd forget` (rule 6)\n"));

    ASSERT_EQ(forget({"--organisation", text(organisation), "--confirm", text(organisation)}).exit_code,
              exit_code::done);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.erasures WHERE lifted_at IS NULL"), 1);
    EXPECT_EQ(requests_of_the_organisation("2026-07-04"), 0U);
}

TEST_F(Forget, LeavesNothingOfAReportAndAllOfTheOthers) {
    const auto ids =
        installation.lines("SELECT data_instance_id FROM heiasync.report_sources WHERE " + versions_of_the_report());
    ASSERT_FALSE(ids.empty());
    const auto kept =
        documents_of(fmt::format("organisation_id = {0} AND NOT ({1})", organisation, versions_of_the_report()));
    ASSERT_FALSE(kept.empty());
    const auto others = rows(false);
    const auto fetched_on =
        installation.value(fmt::format("SELECT min(run_on) FROM heiasync.sync_tasks WHERE report_id = {}", report));

    const auto outcome = forget({"--report", text(report), "--confirm", text(report)});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(outcome.out, StartsWith(fmt::format("report {} of organisation {}: ", report, organisation)));
    EXPECT_TRUE(documents_of(reports_of_the_organisation()) == kept) << "another report was changed";
    for (const auto* relation : {"report_versions", "report_results", "report_listings"}) {
        EXPECT_EQ(
            installation.count(fmt::format("SELECT count(*) FROM heiasync.{} WHERE report_id = {}", relation, report)),
            0)
            << relation;
    }
    for (const auto& id : ids) {
        EXPECT_THAT(everything(), Not(HasSubstr(id)));
    }
    EXPECT_EQ(rows(false), others);
    EXPECT_EQ(installation.value("SELECT what || '|' || report_id FROM heiasync.erasures"),
              fmt::format("report|{}", report));

    EXPECT_EQ(installation.sync_on("2026-07-02").exit_code, exit_code::done);
    EXPECT_EQ(
        installation.count(fmt::format("SELECT count(*) FROM heiasync.report_versions WHERE report_id = {}", report)),
        0);
    EXPECT_EQ(installation.count(fmt::format(
                  "SELECT count(*) FROM heiasync.sync_gaps WHERE organisation_id = {} AND expected_on <> ALL "
                  "(ARRAY(SELECT generate_series('2026-06-03'::timestamp, '2026-06-30', '1 day')::date))",
                  organisation)),
              0);
    EXPECT_EQ(installation.value("SELECT heiasync.complete('2026-07-02')"), "t");
    const auto why = installation.run({"why", fetched_on, "--organisation", text(organisation)});
    EXPECT_THAT(why.out, HasSubstr(fmt::format("report {}: erased by `heiasyncd forget` (rule 6)\n", report)));
    expect_nothing_to_rebuild();
}

TEST_F(Forget, TakesOpenAnswersOutOfAReportAndLeavesTheRest) {
    const auto mine = versions_of_the_report();
    ASSERT_THAT(documents_of(mine), Contains(HasSubstr("\"answers\"")));
    const auto results = "SELECT * FROM heiasync.report_results";
    const auto results_before = installation.lines(results);
    const auto others = rows(false);
    const auto rest_of_document = fmt::format(
        "SELECT report_version_id, document - 'instances', (SELECT jsonb_agg(round - 'open_questions') FROM "
        "jsonb_array_elements(document -> 'instances') AS round) FROM heiasync.reports WHERE organisation_id = {}",
        organisation);
    const auto rest_before = installation.lines(rest_of_document);

    const auto outcome = forget({"--report", text(report), "--open-answers-only", "--confirm", text(report)});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_THAT(documents_of(mine), Each(AllOf(HasSubstr("open_questions"), Not(HasSubstr("\"answers\"")))));
    EXPECT_EQ(installation.lines(results), results_before);
    EXPECT_EQ(installation.lines(rest_of_document), rest_before);
    EXPECT_EQ(rows(false), others);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.report_instances WHERE open_questions::text LIKE "
                                 "'%\"answers\"%' AND " +
                                 mine),
              0);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.reports WHERE document::text LIKE '%\"answers\"%' AND "
                                 "report_id = " +
                                 text(report)),
              0);
    EXPECT_EQ(installation.value("SELECT bool_or(exact) FROM heiasync.report_originals WHERE " + mine), "f");
    EXPECT_EQ(installation.value("SELECT bool_and(exact) FROM heiasync.report_originals WHERE NOT (" + mine + ")"),
              "t");
    EXPECT_EQ(installation.value("SELECT what || '|' || report_id FROM heiasync.erasures"),
              fmt::format("open_answers|{}", report));
    expect_nothing_to_rebuild();
}

TEST_F(Forget, OpenAnswersOfAnOrganisationAreNotKeptOfWhatComesLaterEither) {
    installation.execute(fmt::format(
        "DELETE FROM heiasync.report_originals WHERE {0}; DELETE FROM heiasync.report_sources WHERE {0}; DELETE FROM "
        "heiasync.report_results WHERE {0}; DELETE FROM heiasync.report_instances WHERE {0}; DELETE FROM "
        "heiasync.report_versions WHERE {0}",
        versions_of_the_report()));
    const auto outcome =
        forget({"--organisation", text(organisation), "--open-answers-only", "--confirm", text(organisation)});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_EQ(installation.sync_on("2026-07-02").exit_code, exit_code::done);

    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.report_versions WHERE report_id = " + text(report)), 0)
        << "it is fetched again";
    EXPECT_THAT(documents_of(reports_of_the_organisation()), Each(Not(HasSubstr("\"answers\""))));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.report_instances WHERE open_questions::text LIKE "
                                 "'%\"answers\"%' AND " +
                                 reports_of_the_organisation()),
              0);
    EXPECT_THAT(documents_of("organisation_id <> " + text(organisation)), Contains(HasSubstr("\"answers\"")));
    EXPECT_EQ(
        installation.value("SELECT bool_or(exact) FROM heiasync.report_originals WHERE " + versions_of_the_report()),
        "f");
    expect_nothing_to_rebuild();
}

TEST_F(Forget, SaysWhichOtherReportsHaveTheSameRounds) {
    const auto pairs = installation.json(
        "SELECT mine.report_id AS mine, min(theirs.report_id) AS theirs FROM heiasync.report_instances AS round "
        "JOIN heiasync.report_versions AS mine USING (organisation_id, report_version_id) "
        "JOIN heiasync.report_instances AS same ON same.organisation_id = round.organisation_id "
        "  AND same.start_time = round.start_time AND same.generated_at = round.generated_at "
        "JOIN heiasync.report_versions AS theirs ON theirs.report_version_id = same.report_version_id "
        "WHERE mine.report_id <> theirs.report_id GROUP BY mine.report_id LIMIT 1");
    ASSERT_FALSE(pairs.Empty());
    const auto mine = text(pairs[0]["mine"].GetInt64());
    EXPECT_THAT(forget({"--report", mine, "--dry-run"}).err,
                AllOf(HasSubstr("stand in other reports"), HasSubstr(text(pairs[0]["theirs"].GetInt64()))));
    EXPECT_EQ(forget({"--report", mine, "--confirm", mine}).exit_code, exit_code::done);
}

TEST_F(Forget, DoesNothingTwice) {
    for (int time = 0; time < 2; ++time) {
        EXPECT_EQ(forget({"--organisation", text(organisation), "--confirm", text(organisation)}).exit_code,
                  exit_code::done);
    }
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.erasures"), 1);

    installation.execute(
        fmt::format("INSERT INTO heiasync.report_listings VALUES ({}, 1, now(), now(), (SELECT max(sync_run_id) FROM "
                    "heiasync.sync_runs), '')",
                    organisation));
    EXPECT_EQ(forget({"--organisation", text(organisation), "--confirm", text(organisation)}).exit_code,
              exit_code::done);
    EXPECT_EQ(installation.lines("SELECT erasure_id, rows FROM heiasync.erasures WHERE rows = 1").size(), 1U)
        << "a row that a backup brought back is erased, with a receipt";
}

TEST_F(Forget, RefusesWhatIsNotClear) {
    const auto before = installation.dump({"run_lock"});
    const auto expect_refusal = [this](const std::vector<std::string>& options, const std::string& says) {
        const auto outcome = forget(options);
        EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(says)) << ::testing::PrintToString(options);
        EXPECT_THAT(outcome.out, IsEmpty());
    };
    const auto id = text(organisation);
    expect_refusal({}, "--organisation ID or --report ID");
    expect_refusal({"--organisation", id}, "--confirm " + id);
    expect_refusal({"--organisation", id, "--confirm", "1"}, "is not the id of what is to be erased, " + id);
    expect_refusal({"--organisation", "999999999", "--confirm", "999999999"},
                   "nothing is known of organisation 999999999");
    expect_refusal({"--report", "999999999", "--confirm", "999999999"}, "nothing is known of a report 999999999");
    expect_refusal({"--organisation", id, "--report", "999999999", "--confirm", "999999999"},
                   "nothing is known of report");
    expect_refusal({"--organisation", "-1"}, "--organisation");
    expect_refusal({"--report", "twelve"}, "--report");
    const auto name = installation.value("SELECT name FROM heiasync.organisations WHERE organisation_id = " + id);
    expect_refusal({"--organisation", id, "--confirm", id, "--reason", "because of " + name + " it is"},
                   "--reason: it names");
    const auto world = installation.api().world().organisation(organisation, instant_after_slot("2026-07-01")).value();
    std::string shouted;
    for (const char c : world.business_id) {
        shouted += c == '-' ? ' ' : c;
    }
    expect_refusal({"--organisation", id, "--confirm", id, "--reason", "FI" + shouted}, "--reason: it names");
    expect_refusal({"--organisation", id, "--confirm", id, "--reason", "bad\xff"}, "--reason: not UTF-8");
    expect_refusal({"--organisation", id, "--confirm", id, "--reason", std::string(1001, 'r')},
                   "at most 1000 characters");
    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");
}

TEST_F(Forget, AsksWhichOrganisationWhereSeveralHaveAReportOfThatId) {
    installation.execute(
        fmt::format("INSERT INTO heiasync.report_listings SELECT 777, {}, now(), now(), max(sync_run_id), '' FROM "
                    "heiasync.sync_runs",
                    report));
    const auto outcome = forget({"--report", text(report), "--confirm", text(report)});
    EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("777"), HasSubstr(text(organisation)), HasSubstr("--organisation ID")));
    EXPECT_EQ(forget({"--report", text(report), "--organisation", "777", "--confirm", text(report)}).exit_code,
              exit_code::done);
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.report_versions WHERE report_id = " + text(report)), 0);
}

TEST_F(Forget, AsksForTheIdOnATerminal) {
    const auto before = installation.dump({"run_lock"});
    const auto answered = [this](const std::string& answer) {
        Terminal terminal{installation.command({"forget", "--organisation", text(organisation)}), 200};
        terminal.read_until([&terminal] { return terminal.sent().find("to erase it: ") != std::string::npos; });
        EXPECT_THAT(terminal.sent(), HasSubstr("for good"));
        terminal.type(answer + "\n");
        return terminal.wait();
    };
    EXPECT_EQ(answered("yes"), exit_code::usage);
    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");
    EXPECT_EQ(answered(text(organisation)), exit_code::done);
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.erasures"), 1);
}

TEST_F(Forget, IsForTheOwnerAndNotWhileARunIsGoing) {
    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
    lock.exec("SELECT pg_advisory_xact_lock(1214605665, 2)");
    const auto outcome = forget({"--organisation", text(organisation), "--confirm", text(organisation)});
    EXPECT_EQ(outcome.exit_code, busy) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("`heiasyncd forget --wait`"));
    EXPECT_EQ(forget({"--organisation", text(organisation), "--dry-run"}).exit_code, exit_code::done);

    std::ifstream file{HEIASYNC_ROLES_SQL};
    query(installation.database_url(), {std::istreambuf_iterator<char>{file}, {}});
    query(installation.database_url(), "ALTER ROLE heiasync_writer LOGIN");
    installation.config()["database"]["owner_url"] =
        PostgresServer::as_role(installation.database_url(), "heiasync_writer");
    const auto refused = forget({"--organisation", text(organisation), "--confirm", text(organisation)});
    EXPECT_EQ(refused.exit_code, exit_code::configuration) << refused;
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.erasures"), 0);
}

TEST_F(Forget, ErasesNothingWhereTheSchemaIsAnotherOnceTheRunHasEnded) {
    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
    lock.exec("SELECT pg_advisory_xact_lock(1214605665, 2)");
    Process waiting{installation.command(
        {"forget", "--wait", "--organisation", text(organisation), "--confirm", text(organisation)})};
    waiting.wait_for_err("waiting: another run is going on");
    installation.execute("INSERT INTO heiasync.schema_migrations VALUES (9999, 'n', 'c', now(), 0)");
    lock.abort();
    const auto outcome = waiting.wait();
    EXPECT_EQ(outcome.exit_code, exit_code::configuration) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("the database is newer than this program"));
    EXPECT_EQ(installation.count("SELECT count(*) FROM heiasync.erasures"), 0);
}

TEST_F(Forget, ErasesNothingWhereItIsStoppedBeforeTheEnd) {
    const auto before = installation.dump({"run_lock"});
    pqxx::connection connection{installation.database_url()};
    pqxx::work lock{connection};
    lock.exec("SELECT FROM heiasync.organisation_versions WHERE organisation_id = " + text(organisation) +
              " FOR UPDATE");
    Process process{
        installation.command({"forget", "--organisation", text(organisation), "--confirm", text(organisation)})};
    wait_until([this] {
        return installation.count(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                   "current_database()") > 0;
    });
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(std::chrono::seconds{6}).exit_code, interrupted);
    lock.abort();
    wait_until([this] {
        return installation.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2") == 0;
    });
    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");
}

TEST_F(Forget, NamesADamagedDocumentAndErasesNothing) {
    installation.execute("UPDATE heiasync.report_originals SET document_sha256 = '\\x00' WHERE " +
                         versions_of_the_report());
    const auto before = installation.dump({"run_lock"});
    const auto outcome =
        forget({"--organisation", text(organisation), "--open-answers-only", "--confirm", text(organisation)});
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete) << outcome;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("report version"), HasSubstr("nothing was erased")));
    EXPECT_EQ(row_difference(before, installation.dump({"run_lock"})), "");
    EXPECT_EQ(forget({"--organisation", text(organisation), "--confirm", text(organisation)}).exit_code,
              exit_code::done)
        << "all of it can be erased";
}

}  // namespace
}  // namespace heiasync::testing
