#include "history/rebuild.hpp"

#include "documents/decode_error.hpp"
#include "history/energy_levels.hpp"
#include "history/reports.hpp"
#include "history/transaction.hpp"
#include "history_test.hpp"

#include <random>

namespace heiasync::history {
namespace {

using documents::SurveyDocumentKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view energy_document = R"({
    "teams": [{"id": 4, "name": "North"}], "unheard_of": 1,
    "questions": [{"id": 21, "position": 1, "title": {"en": "How?"}, "category": null, "options": []}],
    "instances": [{
        "minimum_answer_count": 7,
        "organisation": {"participant_count": 79, "answer_count": 51, "average_points": 3.50,
                         "answer_percentages": [1], "breakdown": {"21": [100, 0]}, "point_categories": [0, 2.439],
                         "insufficient_data": false},
        "teams": {"4": {"participant_count": 5, "answer_count": 2, "insufficient_data": true,
                        "insufficient_data_reason": "too_few_results"}}}]})";

constexpr std::string_view report_document = R"({
    "id": "an-id-that-nobody-may-see", "title": "Spring\u0000", "report_business_desc": "Branch",
    "teams": [{"id": 4, "name": "North"}], "tags": [{"id": 5, "name": "0-1 years"}],
    "questions": [{"id": 21, "position": 1, "title": {"en": "How?"}, "category": null, "options": []}],
    "instances": [
        {"generated_at": "2026-05-21T11:10:59Z", "start_time": "2026-05-01T07:00:00Z", "ends_on": "2026-05-20",
         "minimum_answer_count": 5, "point_categories": {"minimum": 1, "maximum": 5, "step": 0.5},
         "organisation": {"participant_count": 9, "answer_count": 8, "average_points": 3.25,
                          "answer_percentages": [2.5], "breakdown": {"21": [1, 99]}, "insufficient_data": false},
         "teams": {"4": {"participant_count": 6, "answer_count": 6, "average_points": 3.5, "answer_percentages": [3],
                         "breakdown": {}, "insufficient_data": false,
                         "tags": {"5": {"participant_count": 2, "answer_count": 1, "insufficient_data": true}}}},
         "open_questions": [{"answers": ["an answer in somebody's own words"]}], "similarities": {"4": 0.50}},
        {"generated_at": "2025-05-21T11:10:59Z", "open_questions": null,
         "global": {"average_points": 2, "answer_percentages": [1], "breakdown": {}}}]})";

class Rebuild : public HistoryTest {
protected:
    std::int64_t store_energy_levels_of(std::int64_t organisation, std::string_view text = energy_document,
                                        core::Instant fetched_at = arrived) {
        EnergyLevelsSnapshot snapshot;
        snapshot.sync_run_id = run;
        snapshot.organisation_id = organisation;
        snapshot.business_id = "b";
        snapshot.period_start = 2026_y / 6 / 1;
        snapshot.period_end = 2026_y / 6 / 30;
        snapshot.fetched_at = fetched_at;
        const documents::Original original = original_of(text);
        return transact([&](Transaction& transaction) {
            const StoredDocument stored = store_energy_levels(transaction, snapshot, original);
            record_drift(transaction, Stream::energy_levels, stored.drift, fetched_at);
            return stored.id;
        });
    }

    std::int64_t store_report_of(std::int64_t organisation, std::string_view text = report_document) {
        ReportSnapshot snapshot;
        snapshot.sync_run_id = run;
        snapshot.organisation_id = organisation;
        snapshot.listed_at = arrived - 1h;
        snapshot.downloaded_at = arrived;
        snapshot.report.id = 99;
        snapshot.report.data_instance_id = core::Secret{"an-id-that-nobody-may-see"};
        snapshot.report.viewed = true;
        snapshot.report.generated_at = arrived - 24h;
        snapshot.report.scheduled_survey_title = "as listed";
        const documents::Original original = original_of(text);
        return transact([&](Transaction& transaction) {
            const StoredDocument stored = store_report(transaction, snapshot, original);
            record_drift(transaction, Stream::reports, stored.drift, arrived);
            return stored.id;
        });
    }

    bool rebuild(SurveyDocumentKind kind, std::int64_t organisation, std::int64_t id) {
        return transact([&](Transaction& transaction) {
            return rebuild_document(transaction, kind, {organisation, id});
        });
    }
    bool rebuild_energy(std::int64_t id) { return rebuild(SurveyDocumentKind::energy_levels, 7, id); }
    bool rebuild_report(std::int64_t id) { return rebuild(SurveyDocumentKind::report, 7, id); }

    /// Every row of every table that a document becomes, in an order of its own.
    std::vector<std::vector<std::string>> rows() { return all_rows("t::text"); }
    /// And where it is: another place for each time that it was written.
    std::vector<std::vector<std::string>> places() { return all_rows("t.ctid::text || t.xmin"); }

    std::vector<std::vector<std::string>> all_rows(const std::string& what) {
        std::string sql;
        for (const char* table : {"energy_levels", "energy_level_results", "energy_level_originals", "report_versions",
                                  "report_instances", "report_results", "report_originals", "report_sources",
                                  "question_sets", "survey_questions", "schema_drift"}) {
            sql += (sql.empty() ? "SELECT '" : " UNION ALL SELECT '") + std::string{table} + "', " + what +
                   " FROM heiasync." + table + " AS t";
        }
        return query(sql + " ORDER BY 1, 2");
    }

    static inline const core::Instant arrived = date::sys_days{2026_y / 7 / 3} + 2h;
    std::int64_t run = start_manual_run(2026_y / 7 / 3);
};

TEST_F(Rebuild, OfWhatIsAsDerivedWritesNothing) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    const std::int64_t report = store_report_of(7);
    const auto before = rows();
    const auto places_before = places();
    EXPECT_FALSE(rebuild_energy(energy_levels));
    EXPECT_FALSE(rebuild_report(report));
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(places(), places_before);
}

TEST_F(Rebuild, BringsDeletedRowsBackAndTouchesNoOtherDocument) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    const std::int64_t report = store_report_of(7);
    store_energy_levels_of(8);
    store_report_of(8);
    const auto before = rows();
    query(
        "DELETE FROM heiasync.energy_level_results WHERE organisation_id = 7; "
        "DELETE FROM heiasync.report_results WHERE organisation_id = 7; "
        "DELETE FROM heiasync.report_instances WHERE organisation_id = 7; "
        "DELETE FROM heiasync.survey_questions; DELETE FROM heiasync.schema_drift; "
        "UPDATE heiasync.energy_levels SET document = NULL, minimum_answer_count = NULL WHERE organisation_id = 7; "
        "UPDATE heiasync.report_versions SET document = NULL, title = NULL, business_description = NULL, "
        "document_generated_at = NULL WHERE organisation_id = 7");
    const auto others = query("SELECT ctid, xmin FROM heiasync.energy_level_results WHERE organisation_id = 8");
    ASSERT_NE(rows(), before);
    EXPECT_TRUE(rebuild_energy(energy_levels));
    EXPECT_TRUE(rebuild_report(report));
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(query("SELECT ctid, xmin FROM heiasync.energy_level_results WHERE organisation_id = 8"), others);
    EXPECT_FALSE(rebuild_energy(energy_levels));
    EXPECT_FALSE(rebuild_report(report));
}

TEST_F(Rebuild, PutsRightWhateverAnotherDecoderMadeOfADocument) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    const std::int64_t report = store_report_of(7);
    const auto before = rows();
    for (const char* change :
         {"UPDATE heiasync.energy_level_results SET point_categories = '{0,2.44}' WHERE team_id = 0",
          "UPDATE heiasync.energy_level_results SET team_id = 40 WHERE team_id = 4",
          "INSERT INTO heiasync.energy_level_results SELECT energy_level_id, organisation_id, business_id, "
          "period_start, period_end, 'team', 41, team_name, participant_count, answer_count, average_points, "
          "insufficient_data FROM heiasync.energy_level_results LIMIT 1",
          "UPDATE heiasync.energy_levels SET document = jsonb_set(document, "
          "'{instances,0,organisation,average_points}', '3.5')",
          "UPDATE heiasync.energy_levels SET document_status = 'sanitised'",
          "UPDATE heiasync.survey_questions SET title = '{\"en\": \"What?\"}'",
          "INSERT INTO heiasync.survey_questions SELECT question_set_id, 2, 22 FROM heiasync.question_sets"}) {
        query(change);
        EXPECT_TRUE(rebuild_energy(energy_levels)) << change;
        EXPECT_EQ(rows(), before) << change;
    }
    for (const char* change : {"UPDATE heiasync.report_results SET average_points = 0 WHERE scope = 'team'",
                               "DELETE FROM heiasync.report_results WHERE scope = 'team_tag'",
                               "UPDATE heiasync.report_instances SET similarities = '{\"4\": 0.5}' WHERE ordinal = 0",
                               "UPDATE heiasync.report_instances SET open_questions = '[]' WHERE ordinal = 1",
                               "UPDATE heiasync.report_versions SET document_status = 'too_large', document = NULL",
                               "UPDATE heiasync.report_versions SET business_description = 'Tree'"}) {
        query(change);
        EXPECT_TRUE(rebuild_report(report)) << change;
        EXPECT_EQ(rows(), before) << change;
    }
    // Another decoder may have read other questions.
    query(
        "INSERT INTO heiasync.question_sets VALUES (1000, 'another'); "
        "UPDATE heiasync.energy_levels SET question_set_id = 1000; "
        "UPDATE heiasync.report_versions SET question_set_id = 1000");
    EXPECT_TRUE(rebuild_energy(energy_levels));
    EXPECT_TRUE(rebuild_report(report));
    transact([](Transaction& transaction) { erase_unused_questions(transaction); });
    EXPECT_EQ(rows(), before);
}

TEST_F(Rebuild, LeavesWhatTheListingSaidOfAReport) {
    const std::int64_t report = store_report_of(7);
    query("UPDATE heiasync.report_versions SET scheduled_survey_title = 'as edited', title = NULL");
    EXPECT_TRUE(rebuild_report(report));
    EXPECT_THAT(query("SELECT scheduled_survey_title, title, first_listed_at FROM heiasync.reports"),
                ElementsAre(ElementsAre("as edited", "Spring\xEF\xBF\xBD", "2026-07-03 01:00:00+00")));
}

TEST_F(Rebuild, RecordsTheDriftOfADocumentAsOfItsArrival) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    query("DELETE FROM heiasync.schema_drift");
    EXPECT_FALSE(rebuild_energy(energy_levels)) << "no row of the document was another";
    EXPECT_THAT(
        query("SELECT stream, json_pointer, first_seen_at, last_seen_at FROM heiasync.schema_drift"),
        ElementsAre(ElementsAre("energy_levels", "/unheard_of", "2026-07-03 02:00:00+00", "2026-07-03 02:00:00+00")));
}

TEST_F(Rebuild, ReadsADocumentOfManyPieces) {
    std::mt19937 random{1};
    std::string noise;
    while (noise.size() < 5'000'000) {
        noise += std::to_string(random());
    }
    std::string text{energy_document};
    text.insert(text.rfind('}'), ", \"noise\": \"" + noise + "\"");
    const std::int64_t energy_levels = store_energy_levels_of(7, text);
    ASSERT_GT(std::stoi(query_value("SELECT count(*) FROM heiasync.energy_level_originals")), 2);
    const auto before = rows();
    EXPECT_FALSE(rebuild_energy(energy_levels));
    query("DELETE FROM heiasync.energy_level_results; UPDATE heiasync.energy_levels SET document = NULL");
    EXPECT_TRUE(rebuild_energy(energy_levels));
    EXPECT_EQ(rows(), before);

    query("DELETE FROM heiasync.energy_level_results; DELETE FROM heiasync.energy_level_originals WHERE piece = 1");
    EXPECT_THROW(rebuild_energy(energy_levels), documents::DamagedOriginal);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_level_results"), "0");
}

struct Damage {
    const char* name;
    const char* sql;
    const char* message;
};

class RebuildOfDamaged : public Rebuild, public ::testing::WithParamInterface<Damage> {};

TEST_P(RebuildOfDamaged, LeavesEverythingAsItIs) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    const std::int64_t report = store_report_of(7);
    query("DELETE FROM heiasync.energy_level_results WHERE team_id = 4; DELETE FROM heiasync.report_results");
    for (const char* table : {"energy_level_originals", "report_originals"}) {
        std::string sql = GetParam().sql;
        for (auto at = sql.find('@'); at != std::string::npos; at = sql.find('@')) {
            sql.replace(at, 1, std::string{"heiasync."} + table);
        }
        query(sql);
    }
    const auto before = places();
    for (const auto& damaged :
         {std::pair{SurveyDocumentKind::energy_levels, energy_levels}, std::pair{SurveyDocumentKind::report, report}}) {
        try {
            rebuild(damaged.first, 7, damaged.second);
            ADD_FAILURE() << "it was trusted";
        } catch (const documents::DamagedOriginal& error) {
            EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
        }
    }
    EXPECT_EQ(places(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RebuildOfDamaged,
    ::testing::Values(
        Damage{"Missing", "DELETE FROM @", "are missing"},
        Damage{"WithoutItsBegin", "UPDATE @ SET piece = 1", "piece of a stored document is missing"},
        Damage{"CutShort", "UPDATE @ SET bytes = substring(bytes FROM 1 FOR length(bytes) - 9)", "cut short"},
        Damage{"Changed", "UPDATE @ SET bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 16)", "stored document"},
        Damage{"OfAnotherSize", "UPDATE @ SET document_size = document_size + 1", "another size"},
        Damage{"OfASmallerSize", "UPDATE @ SET document_size = 1", "another size"},
        Damage{"OfANegativeSize", "UPDATE @ SET document_size = -5", "another size"},
        Damage{"OfAnotherDigest", "UPDATE @ SET document_sha256 = sha256(document_sha256)", "another SHA-256"},
        Damage{"WithoutADigest", "UPDATE @ SET document_sha256 = ''", "has no SHA-256"},
        Damage{"OfAnotherCoding", "UPDATE @ SET coding = 'zlib'", "cannot read"},
        Damage{"MixedUp", "INSERT INTO @ SELECT organisation_id, 1, 1, coding, bytes, 1, document_sha256, exact FROM @",
               "do not belong together"}),
    [](const auto& damage) { return std::string{damage.param.name}; });

TEST_F(Rebuild, OfWhatThisDecoderCannotReadLeavesEverythingAsItIs) {
    const std::int64_t energy_levels = store_energy_levels_of(7);
    const std::int64_t other = store_energy_levels_of(8);
    // The bytes of a document that was once let pass.
    const documents::Original original = original_of(R"({"questions": [{"title": {}}], "instances": []})");
    transact([&](Transaction& transaction) {
        transaction.run({"damage",
                         "UPDATE heiasync.energy_level_originals SET bytes = $1, document_size = $2, "
                         "document_sha256 = $3 WHERE organisation_id = 7"},
                        Value::bytes(original.pieces.at(0)), original.size,
                        Value::bytes(std::string{original.sha256.begin(), original.sha256.end()}));
    });
    const auto before = places();
    EXPECT_THROW(rebuild_energy(energy_levels), documents::DecodeError);
    EXPECT_EQ(places(), before);
    EXPECT_FALSE(rebuild(SurveyDocumentKind::energy_levels, 8, other)) << "the session is good for another one";
}

TEST_F(Rebuild, TakesTheDocumentsOneAfterTheOther) {
    const std::int64_t late = store_energy_levels_of(9);
    const std::int64_t early = store_energy_levels_of(7, energy_document, arrived - 1us);
    const std::int64_t report = store_report_of(8);
    const auto after = [this](const DocumentSelection& selection, DocumentKey last, int at_most) {
        return transact([&](Transaction& transaction) {
            EXPECT_GE(count_documents(transaction, selection), 1);
            return documents_after(transaction, selection, last, at_most);
        });
    };
    const DocumentSelection all{SurveyDocumentKind::energy_levels, {}};
    EXPECT_THAT(after(all, before_every_document, 1), ElementsAre(DocumentKey{7, early}));
    EXPECT_THAT(after(all, {7, early}, 5), ElementsAre(DocumentKey{9, late}));
    EXPECT_THAT(after(all, {9, late}, 5), IsEmpty());
    EXPECT_THAT(after({SurveyDocumentKind::energy_levels, arrived}, before_every_document, 5),
                ElementsAre(DocumentKey{9, late}));
    EXPECT_THAT(after({SurveyDocumentKind::report, arrived}, before_every_document, 5),
                ElementsAre(DocumentKey{8, report}));
    transact([&](Transaction& transaction) {
        EXPECT_EQ(count_documents(transaction, all), 2);
        EXPECT_EQ(count_documents(transaction, {SurveyDocumentKind::energy_levels, arrived}), 1);
        EXPECT_EQ(count_documents(transaction, {SurveyDocumentKind::report, arrived + 1us}), 0);
    });
}

TEST_F(Rebuild, IsForWhoMayReplaceRows) {
    transact([](Transaction& transaction) { require_right_to_rebuild(transaction); });
    query(
        "DROP ROLE IF EXISTS inserts_only; CREATE ROLE inserts_only LOGIN; GRANT USAGE ON SCHEMA heiasync TO "
        "inserts_only; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA heiasync TO inserts_only");
    Database other{loop.get_executor(), PostgresServer::as_role(url, "inserts_only")};
    auto job = [](Transaction& transaction) { require_right_to_rebuild(transaction); };
    try {
        heiasync::testing::run(loop, other.transact(job));
        FAIL() << "it may";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.kind(), DatabaseError::Kind::schema);
        EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("inserts_only"), HasSubstr("database.owner_url")));
    }
    query("DROP OWNED BY inserts_only; DROP ROLE inserts_only");
}

TEST_F(Rebuild, ShowsNothingOfADocumentInTheLogOfTheServer) {
    const std::int64_t report = store_report_of(7);
    query("DELETE FROM heiasync.report_instances; UPDATE heiasync.report_versions SET document = NULL");
    EXPECT_TRUE(rebuild_report(report));
    const std::string log = PostgresServer::shared().log();
    EXPECT_THAT(log, HasSubstr("derived_report_instances")) << "statements are not logged: this test sees nothing";
    EXPECT_THAT(log, ::testing::Not(HasSubstr("somebody's own words")));
}

}  // namespace
}  // namespace heiasync::history
