#include "history/reports.hpp"

#include "documents/decode_error.hpp"
#include "history/survey_rows.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

using documents::DocumentStatus;
using documents::Report;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view data_instance_id = "04df2fd4b131b4421da9025b291c1fce1e8dbfaee1395d5acd8dba2efb48";

constexpr std::string_view document = R"({
    "id": "04df2fd4b131b4421da9025b291c1fce1e8dbfaee1395d5acd8dba2efb48",
    "title": "Spring", "sub_report": true, "report_business_id": "123-1", "report_business_desc": "Branch",
    "teams": [{"id": 4, "name": "North"}], "tags": [{"id": 5, "name": "0-1 years"}],
    "questions": [{"id": 21, "position": 1, "title": {"en": "How?"}, "category": null, "options": []}],
    "instances": [
        {"generated_at": "2026-05-21T11:10:59+02:00", "start_time": "2026-05-01T07:00:00Z", "ends_on": "2026-05-20",
         "minimum_answer_count": 5, "point_categories": {"minimum": 1, "maximum": 5, "step": 0.5},
         "global": {"average_points": 3, "answer_percentages": [2], "breakdown": {"21": [40, 60]}},
         "organisation": {"participant_count": 9, "answer_count": 8, "average_points": 3.25,
                          "answer_percentages": [2.5], "breakdown": {"21": [1, 99]}, "point_categories": [100],
                          "insufficient_data": false},
         "teams": {"4": {"participant_count": 6, "answer_count": 6, "average_points": 3.5, "answer_percentages": [3],
                         "breakdown": {"21": [2, 98]}, "point_categories": [7], "insufficient_data": false,
                         "tags": {"5": {"participant_count": 2, "answer_count": 1, "insufficient_data": true,
                                        "insufficient_data_reason": "too_similar"}}}},
         "tags": {"5": {"participant_count": 7, "answer_count": 7, "average_points": 3.75, "answer_percentages": [4],
                        "breakdown": {"21": [3, 97]}, "point_categories": [8], "insufficient_data": false}},
         "open_questions": [{"answers": ["an answer in somebody's own words"]}],
         "similarities": {"4": 0.5}},
        {"generated_at": "2025-05-21T11:10:59Z", "start_time": null, "ends_on": null, "minimum_answer_count": null,
         "point_categories": null, "open_questions": null,
         "global": {"average_points": 2, "answer_percentages": [1], "breakdown": {}}}]})";

class ReportsTest : public HistoryTest {
protected:
    ReportSnapshot snapshot(core::Instant generated_at = generated) const {
        ReportSnapshot result;
        result.sync_run_id = run;
        result.organisation_id = 7;
        result.listed_at = date::sys_days{2026_y / 6 / 2} + 1h;
        result.downloaded_at = date::sys_days{2026_y / 6 / 2} + 2h;
        result.report.id = 99;
        result.report.data_instance_id = core::Secret{std::string{data_instance_id}};
        result.report.viewed = true;
        result.report.generated_at = generated_at;
        return result;
    }

    StoredDocument store(const ReportSnapshot& what, std::string_view text = document) {
        const documents::Original original = original_of(text);
        return transact([&](Transaction& transaction) { return store_report(transaction, what, original); });
    }

    void list(const std::vector<Report>& reports, core::Instant at) {
        transact([&](Transaction& transaction) { record_listed_reports(transaction, run, 7, reports, at); });
    }

    static inline const core::Instant generated = date::sys_days{2026_y / 6 / 1} + 12h;
    std::int64_t run = start_manual_run(2026_y / 6 / 2);
};

TEST_F(ReportsTest, AVersionIsStoredWithWhatTheListingSaysOfIt) {
    ReportSnapshot full = snapshot();
    Report& report = full.report;
    report.sub_report = true;
    report.business_id = "123-1";
    report.first_viewed_at = generated + 1h;
    report.scheduled_survey_id = 11;
    report.scheduled_survey_title = "Title, \"quoted\"";
    report.survey_id = 12;
    report.survey_title = R"({"en": "Survey"})";
    report.started_at = generated - 24h;
    report.ends_on = 2026_y / 5 / 31;
    report.closed = true;
    report.enabled_questions = {21, 3'000'000'000};
    report.copy_questions = {"enps", "a,\"b\\"};
    const StoredDocument stored = store(full);
    EXPECT_EQ(stored.status, DocumentStatus::stored);
    EXPECT_THAT(
        query("SELECT report_version_id, report_id, organisation_id, business_id, sub_report, title, "
              "business_description, generated_at, document_generated_at, first_viewed_at, scheduled_survey_id, "
              "scheduled_survey_title, survey_id, survey_title, started_at, ends_on, closed, enabled_questions, "
              "copy_questions[2], first_listed_at, downloaded_at, is_latest_version, document_status, sync_run_id "
              "FROM heiasync.reports"),
        ElementsAre(ElementsAre(std::to_string(stored.id), "99", "7", "123-1", "t", "Spring", "Branch",
                                "2026-06-01 12:00:00+00", "2026-05-21 09:10:59+00", "2026-06-01 13:00:00+00", "11",
                                "Title, \"quoted\"", "12", "{\"en\": \"Survey\"}", "2026-05-31 12:00:00+00",
                                "2026-05-31", "t", "{21,3000000000}", "a,\"b\\", "2026-06-02 01:00:00+00",
                                "2026-06-02 02:00:00+00", "t", "stored", std::to_string(run))));
}

TEST_F(ReportsTest, AVersionThatTheListingSaysLittleOfIsStoredToo) {
    store(snapshot(), R"({"questions": [], "instances": []})");
    EXPECT_THAT(query("SELECT business_id, sub_report, title, document_generated_at, first_viewed_at, survey_title, "
                      "enabled_questions, copy_questions FROM heiasync.reports"),
                ElementsAre(ElementsAre("", "f", "NULL", "NULL", "NULL", "NULL", "{}", "{}")));
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.report_instances"), "0");
}

TEST_F(ReportsTest, EveryRoundIsStored) {
    store(snapshot());
    EXPECT_THAT(
        query("SELECT ordinal, generated_at, start_time, ends_on, minimum_answer_count, point_minimum, point_maximum, "
              "point_step, open_questions #>> '{0,answers,0}', similarities FROM heiasync.report_instances ORDER BY 1"),
        ElementsAre(ElementsAre("0", "2026-05-21 09:10:59+00", "2026-05-01 07:00:00+00", "2026-05-20", "5", "1", "5",
                                "0.5", "an answer in somebody's own words", "{\"4\": 0.5}"),
                    ElementsAre("1", "2025-05-21 11:10:59+00", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL",
                                "NULL")));
}

TEST_F(ReportsTest, EveryGroupOfEveryScopeIsStored) {
    store(snapshot());
    EXPECT_THAT(
        query("SELECT report_id, ordinal, scope, team_id, team_name, tag_id, tag_name, participant_count, "
              "answer_count, average_points, insufficient_data, insufficient_data_reason, point_categories "
              "FROM heiasync.report_results ORDER BY ordinal, scope"),
        ElementsAre(
            ElementsAre("99", "0", "global", "0", "NULL", "0", "NULL", "NULL", "NULL", "3", "f", "NULL", "NULL"),
            ElementsAre("99", "0", "organisation", "0", "NULL", "0", "NULL", "9", "8", "3.25", "f", "NULL", "{100}"),
            ElementsAre("99", "0", "tag", "0", "NULL", "5", "0-1 years", "7", "7", "3.75", "f", "NULL", "{8}"),
            ElementsAre("99", "0", "team", "4", "North", "0", "NULL", "6", "6", "3.5", "f", "NULL", "{7}"),
            ElementsAre("99", "0", "team_tag", "4", "North", "5", "0-1 years", "2", "1", "NULL", "t", "too_similar",
                        "NULL"),
            ElementsAre("99", "1", "global", "0", "NULL", "0", "NULL", "NULL", "NULL", "2", "f", "NULL", "NULL")));
    EXPECT_THAT(query("SELECT ordinal, scope, question_id, question_title ->> 'en', average_points, option_breakdown "
                      "FROM heiasync.report_question_results ORDER BY ordinal, scope"),
                ElementsAre(ElementsAre("0", "global", "21", "How?", "2", "{40,60}"),
                            ElementsAre("0", "organisation", "21", "How?", "2.5", "{1,99}"),
                            ElementsAre("0", "tag", "21", "How?", "4", "{3,97}"),
                            ElementsAre("0", "team", "21", "How?", "3", "{2,98}"),
                            ElementsAre("0", "team_tag", "21", "How?", "NULL", "NULL"),
                            ElementsAre("1", "global", "21", "How?", "1", "NULL")));
}

TEST_F(ReportsTest, TheDataInstanceIdIsNowhereButWithTheSources) {
    store(snapshot());
    EXPECT_EQ(query_value("SELECT data_instance_id FROM heiasync.report_sources"), data_instance_id);
    EXPECT_EQ(query_value("SELECT document ? 'id' FROM heiasync.reports"), "f");
    EXPECT_THAT(query_value("SELECT string_agg(v::text, ' ') FROM heiasync.report_versions v"),
                Not(HasSubstr(std::string{data_instance_id})));
}

TEST_F(ReportsTest, NeitherTheSourceNorTheDocumentAppearsInTheLogOfTheServer) {
    ReportSnapshot secret = snapshot();
    secret.report.data_instance_id = core::Secret{"an-id-that-nobody-may-see"};
    store(secret);
    const std::string log = PostgresServer::shared().log();
    EXPECT_THAT(log, HasSubstr("report_sources")) << "statements are not logged: this test sees nothing";
    EXPECT_THAT(log, Not(HasSubstr("an-id-that-nobody-may-see")));
    EXPECT_THAT(log, Not(HasSubstr("somebody's own words")));
}

TEST_F(ReportsTest, AnInterruptedTransferShowsNothingOfTheText) {
    refusal([this](Transaction& transaction) {
        TextSender sender{transaction};
        for (int i = 0; i < 100; ++i) {
            sender.send("a text that was on its way");
        }
        // The server is reading a line, or waiting for the next one.
        kill_sessions();
        sender.finish();
    });
    const std::string log = PostgresServer::shared().log();
    EXPECT_THAT(log, HasSubstr("COPY heiasync_text, line")) << "it was interrupted elsewhere: this test sees nothing";
    EXPECT_THAT(log, Not(HasSubstr("on its way")));
}

TEST_F(ReportsTest, JsonThatTheServerRefusesIsNotQuotedInItsLog) {
    EXPECT_EQ(refusal([](Transaction& transaction) {
                  transaction.execute("try", "SELECT heiasync.to_document('{\"a\": broken-and-private')");
              }),
              DatabaseError::Kind::refused);
    std::string log = PostgresServer::shared().log();
    const std::string statement = "SELECT heiasync.to_document('{\"a\": broken-and-private')";
    for (auto at = log.find(statement); at != std::string::npos; at = log.find(statement)) {
        log.erase(at, statement.size());
    }
    EXPECT_THAT(log, HasSubstr("no storable JSON"));
    EXPECT_THAT(log, Not(HasSubstr("broken-and-private")));
}

TEST_F(ReportsTest, ALaterGeneratedVersionIsTheLatest) {
    store(snapshot(generated + 1h));
    store(snapshot(generated));
    ReportSnapshot other = snapshot(generated);
    other.report.id = 100;
    store(other);
    EXPECT_THAT(
        query("SELECT report_id, generated_at, is_latest_version FROM heiasync.reports ORDER BY 1, 2"),
        ElementsAre(ElementsAre("99", "2026-06-01 12:00:00+00", "f"), ElementsAre("99", "2026-06-01 13:00:00+00", "t"),
                    ElementsAre("100", "2026-06-01 12:00:00+00", "t")));
    EXPECT_EQ(transact([](Transaction& transaction) { return stored_report_versions(transaction, {7}); }),
              (std::vector<ReportVersion>{{7, 99, generated}, {7, 99, generated + 1h}, {7, 100, generated}}));
}

TEST_F(ReportsTest, AVersionIsStoredOnceWhateverItsDataInstance) {
    store(snapshot());
    ReportSnapshot again = snapshot();
    again.report.data_instance_id = core::Secret{"another one"};
    const documents::Original original = original_of(document);
    EXPECT_EQ(refusal([&](Transaction& transaction) { store_report(transaction, again, original); }),
              DatabaseError::Kind::refused);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.report_versions"), "1");
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.report_results"), "6");
}

TEST_F(ReportsTest, TheFirstListingIsRemembered) {
    const core::Instant first = date::sys_days{2026_y / 5 / 30} + 1h;
    Report ready = snapshot().report;
    Report unviewed = ready;
    unviewed.id = 100;
    unviewed.viewed = false;
    list({ready, unviewed}, first);
    list({ready}, first + 24h);
    EXPECT_THAT(query("SELECT organisation_id, report_id, generated_at, first_listed_at FROM heiasync.report_listings"),
                ElementsAre(ElementsAre("7", "99", "2026-06-01 12:00:00+00", "2026-05-30 01:00:00+00")));
    store(snapshot());
    EXPECT_EQ(query_value("SELECT first_listed_at FROM heiasync.reports"), "2026-05-30 01:00:00+00");
}

TEST_F(ReportsTest, AStoredVersionIsNotListedAgain) {
    store(snapshot());
    list({snapshot().report}, generated + 48h);
    list({}, generated + 48h);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.report_listings"), "0");
}

TEST_F(ReportsTest, ADocumentThatCannotBeReadLeavesNothing) {
    EXPECT_THROW(store(snapshot(), "<html>"), documents::DecodeError);
    EXPECT_THAT(query("SELECT FROM heiasync.report_versions"), IsEmpty());
    store(snapshot());
}

}  // namespace
}  // namespace heiasync::history
