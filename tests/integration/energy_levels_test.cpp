#include "history/energy_levels.hpp"

#include "documents/decode_error.hpp"
#include "history/sync_tasks.hpp"
#include "history_test.hpp"

namespace heiasync::history {
namespace {

using documents::DocumentStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view document = R"({
    "teams": [{"id": 3205492853, "name": "Accounting, \"North\""}, {"id": 4, "name": "Small"}],
    "questions": [
        {"id": 21, "position": 1, "title": {"en": "How?", "fi": "Miten?"}, "category": {"en": "Health"},
         "options": [{"id": "1", "points": 1}, {"id": "2", "points": 5}]},
        {"id": 11, "position": 2, "title": {"en": "Why?"}, "category": null, "options": []}],
    "instances": [{
        "minimum_answer_count": 7,
        "global": {"average_points": 3.435, "answer_percentages": [2.8, 3.1699],
                   "breakdown": {"21": [40, 60], "11": [10, 20.5, 69.5]}},
        "organisation": {"participant_count": 79, "answer_count": 51, "average_points": 3.5,
                         "answer_percentages": [1, null], "breakdown": {"21": [100, 0]},
                         "point_categories": [0, 2.439], "insufficient_data": false,
                         "insufficient_data_reason": null},
        "teams": {"3205492853": {"participant_count": 9, "answer_count": 8, "average_points": 4,
                                 "answer_percentages": [4, 4], "breakdown": {}, "point_categories": [50, 50],
                                 "insufficient_data": false, "insufficient_data_reason": null},
                  "4": {"participant_count": 5, "answer_count": 2, "average_points": null,
                        "answer_percentages": null, "breakdown": null, "point_categories": null,
                        "insufficient_data": true, "insufficient_data_reason": "too_few_results"}}}]})";

class EnergyLevelsTest : public HistoryTest {
protected:
    EnergyLevelsSnapshot snapshot(std::int64_t organisation = 7, std::string business_id = "") const {
        EnergyLevelsSnapshot result;
        result.sync_run_id = run;
        result.organisation_id = organisation;
        result.business_id = std::move(business_id);
        result.period_start = 2026_y / 6 / 1;
        result.period_end = 2026_y / 6 / 30;
        result.fetched_at = date::sys_days{2026_y / 7 / 3} + 2h;
        result.days_late = 2;
        return result;
    }

    StoredDocument store(const EnergyLevelsSnapshot& what, std::string_view text = document) {
        const documents::Original original = original_of(text);
        return transact([&](Transaction& transaction) { return store_energy_levels(transaction, what, original); });
    }

    std::int64_t run = start_manual_run(2026_y / 7 / 3);
};

TEST_F(EnergyLevelsTest, ASnapshotIsStoredWithAllThatIsInIt) {
    const StoredDocument stored = store(snapshot(7, "b"));
    EXPECT_EQ(stored.status, DocumentStatus::stored);
    EXPECT_THAT(stored.drift, IsEmpty());
    EXPECT_THAT(query("SELECT energy_level_id, organisation_id, business_id, period_start, period_end, fetched_at, "
                      "days_late, minimum_answer_count, document_status, sync_run_id, "
                      "document #>> '{teams,0,name}' FROM heiasync.energy_levels"),
                ElementsAre(ElementsAre(std::to_string(stored.id), "7", "b", "2026-06-01", "2026-06-30",
                                        "2026-07-03 02:00:00+00", "2", "7", "stored", std::to_string(run),
                                        "Accounting, \"North\"")));
    EXPECT_THAT(query("SELECT business_id, period_start, period_end, scope, team_id, team_name, participant_count, "
                      "answer_count, average_points, insufficient_data, insufficient_data_reason, point_categories "
                      "FROM heiasync.energy_level_results ORDER BY scope, team_id"),
                ElementsAre(ElementsAre("b", "2026-06-01", "2026-06-30", "global", "0", "NULL", "NULL", "NULL", "3.435",
                                        "f", "NULL", "NULL"),
                            ElementsAre("b", "2026-06-01", "2026-06-30", "organisation", "0", "NULL", "79", "51", "3.5",
                                        "f", "NULL", "{0,2.439}"),
                            ElementsAre("b", "2026-06-01", "2026-06-30", "team", "4", "Small", "5", "2", "NULL", "t",
                                        "too_few_results", "NULL"),
                            ElementsAre("b", "2026-06-01", "2026-06-30", "team", "3205492853", "Accounting, \"North\"",
                                        "9", "8", "4", "f", "NULL", "{50,50}")));
}

TEST_F(EnergyLevelsTest, QuestionResultsAreThoseOfTheirQuestion) {
    store(snapshot());
    EXPECT_THAT(query("SELECT scope, team_id, question_id, position, question_title ->> 'en', category ->> 'en', "
                      "options #>> '{0,points}', average_points, option_breakdown "
                      "FROM heiasync.energy_level_question_results ORDER BY scope, team_id, position"),
                ElementsAre(ElementsAre("global", "0", "21", "1", "How?", "Health", "1", "2.8", "{40,60}"),
                            ElementsAre("global", "0", "11", "2", "Why?", "NULL", "NULL", "3.1699", "{10,20.5,69.5}"),
                            ElementsAre("organisation", "0", "21", "1", "How?", "Health", "1", "1", "{100,0}"),
                            ElementsAre("organisation", "0", "11", "2", "Why?", "NULL", "NULL", "NULL", "NULL"),
                            ElementsAre("team", "4", "21", "1", "How?", "Health", "1", "NULL", "NULL"),
                            ElementsAre("team", "4", "11", "2", "Why?", "NULL", "NULL", "NULL", "NULL"),
                            ElementsAre("team", "3205492853", "21", "1", "How?", "Health", "1", "4", "NULL"),
                            ElementsAre("team", "3205492853", "11", "2", "Why?", "NULL", "NULL", "4", "NULL")));
}

TEST_F(EnergyLevelsTest, TheBytesAreKeptWithTheirHash) {
    const documents::Original original = original_of(document);
    store(snapshot());
    EXPECT_THAT(query("SELECT piece, coding, document_size, document_sha256 = sha256(convert_to($$" +
                      std::string{document} + "$$, 'UTF8')) FROM heiasync.energy_level_originals"),
                ElementsAre(ElementsAre("0", "zstd", std::to_string(document.size()), "t")));
    std::string hex;
    for (const char c : original.pieces.at(0)) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex += digits[static_cast<unsigned char>(c) >> 4U];
        hex += digits[static_cast<unsigned char>(c) & 0xFU];
    }
    EXPECT_EQ(query_value("SELECT encode(bytes, 'hex') FROM heiasync.energy_level_originals"), hex);
}

TEST_F(EnergyLevelsTest, ValuesThatAreToBeSuppressedAreNowhereButInTheBytes) {
    std::string text{document};
    const std::string_view flag = R"("insufficient_data": true)";
    text.replace(text.find(flag), flag.size(), R"("average_points": 1.234567, "insufficient_data": true)");
    const auto stored = store(snapshot(), text);
    EXPECT_EQ(stored.status, DocumentStatus::sanitised);
    for (const auto* relation : {"energy_levels", "energy_level_results", "energy_level_question_results"}) {
        EXPECT_EQ(query_value(std::string{"SELECT count(*) FROM heiasync."} + relation +
                              " AS t WHERE t::text LIKE '%1.234567%'"),
                  "0")
            << relation;
    }
    EXPECT_EQ(query_value("SELECT document #>> '{instances,0,teams,4,answer_count}' FROM heiasync.energy_levels"), "2");
}

TEST_F(EnergyLevelsTest, TheSameQuestionsAreStoredOnce) {
    store(snapshot(7));
    store(snapshot(8));
    std::string other{document};
    other.replace(other.find("Why?"), 4, "Who?");
    store(snapshot(9), other);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.question_sets"), "2");
    EXPECT_THAT(query("SELECT organisation_id, question_title ->> 'en' FROM heiasync.energy_level_question_results "
                      "WHERE scope = 'global' AND question_id = 11 ORDER BY 1"),
                ElementsAre(ElementsAre("7", "Why?"), ElementsAre("8", "Why?"), ElementsAre("9", "Who?")));
}

TEST_F(EnergyLevelsTest, ASecondOneOfTheSamePeriodIsRefused) {
    store(snapshot());
    EXPECT_EQ(refusal([this](Transaction& transaction) {
                  const documents::Original original = original_of(document);
                  store_energy_levels(transaction, snapshot(), original);
              }),
              DatabaseError::Kind::refused);
    store(snapshot(7, "b"));
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_levels"), "2");
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_level_results"), "8");
}

TEST_F(EnergyLevelsTest, SeveralFitIntoOneTransaction) {
    const documents::Original original = original_of(document);
    transact([&](Transaction& transaction) {
        store_energy_levels(transaction, snapshot(1), original);
        store_energy_levels(transaction, snapshot(2), original_of(R"({"questions": [], "instances": [{}]})"));
        store_energy_levels(transaction, snapshot(3), original);
    });
    EXPECT_THAT(query("SELECT organisation_id, minimum_answer_count, document -> 'instances' = '[{}]' "
                      "FROM heiasync.energy_levels ORDER BY 1"),
                ElementsAre(ElementsAre("1", "7", "f"), ElementsAre("2", "NULL", "t"), ElementsAre("3", "7", "f")));
}

TEST_F(EnergyLevelsTest, ADocumentThatCannotBeReadLeavesNothing) {
    std::string broken{document};
    broken.resize(broken.size() - 10);
    EXPECT_THROW(store(snapshot(), broken), documents::DecodeError);
    EXPECT_THROW(store(snapshot(), R"({"questions": [], "instances": []})"), documents::DecodeError);
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_level_results"), "0");
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.question_sets"), "0");
    store(snapshot());
}

TEST_F(EnergyLevelsTest, WhatJsonbCannotHoldIsSanitised) {
    std::string hostile{document};
    hostile.replace(hostile.find("Small"), 5, R"(\u0000\ud800 1\t\n\\)");
    hostile.insert(1, R"("text": "a\tb\\n", "huge": 1e999999, )");
    EXPECT_EQ(store(snapshot(), hostile).status, DocumentStatus::sanitised);
    EXPECT_THAT(query("SELECT document_status, document ->> 'text' FROM heiasync.energy_levels"),
                ElementsAre(ElementsAre("sanitised", "a\tb\\n")));
    EXPECT_THAT(query("SELECT team_name FROM heiasync.energy_level_results WHERE team_id = 4"),
                ElementsAre(ElementsAre("\xEF\xBF\xBD\xEF\xBF\xBD 1\t\n\\")));
}

TEST_F(EnergyLevelsTest, ALargeDocumentComesThroughWhole) {
    std::string filler;
    while (filler.size() < 3'000'000) {
        filler += "\xC3\xA4\\n" + std::to_string(filler.size());
    }
    std::string large{document};
    large.insert(1, R"("filler": ")" + filler + R"(", )");
    EXPECT_EQ(store(snapshot(), large).status, DocumentStatus::stored);
    EXPECT_EQ(query_value("SELECT replace(document ->> 'filler', E'\\n', E'\\\\n') = $$" + filler +
                          "$$ FROM heiasync.energy_levels"),
              "t");
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_level_originals"),
              std::to_string(original_of(large).pieces.size()));
}

TEST_F(EnergyLevelsTest, ADocumentBeyondJsonbKeepsItsRowsAndBytes) {
    // Not by its size, which takes long, but by the limit itself: the server says so of any array of 2^28 elements.
    query(
        "CREATE OR REPLACE FUNCTION heiasync.to_document(json text) RETURNS jsonb LANGUAGE plpgsql STRICT AS "
        "$$BEGIN RETURN NULL; END$$");
    EXPECT_EQ(store(snapshot()).status, DocumentStatus::too_large);
    EXPECT_THAT(query("SELECT document, document_status FROM heiasync.energy_levels"),
                ElementsAre(ElementsAre("NULL", "too_large")));
    EXPECT_EQ(query_value("SELECT count(*) FROM heiasync.energy_level_results"), "4");
}

TEST_F(EnergyLevelsTest, WhatIsStoredOrSkippedIsSettled) {
    store(snapshot(1));
    store(snapshot(2, "b"));
    EnergyLevelsSnapshot other_period = snapshot(1);
    other_period.period_start = 2026_y / 5 / 1;
    other_period.period_end = 2026_y / 5 / 31;
    store(other_period);
    transact([](Transaction& transaction) {
        record_settings(transaction, {"UTC", "04:30", "UTC", 1, 5, 7, true, true, {50}}, {});
    });
    const auto record = [this](std::int64_t organisation, TaskStatus status, Stream stream) {
        TaskRecord task;
        task.sync_run_id = run;
        task.run_on = 2026_y / 7 / 3;
        task.organisation_id = organisation;
        task.stream = stream;
        task.period_start = 2026_y / 6 / 1;
        task.status = status;
        transact([&](Transaction& transaction) { record_task(transaction, task, task.finished_at); });
    };
    record(3, TaskStatus::skipped, Stream::energy_levels);
    record(4, TaskStatus::failed, Stream::energy_levels);
    record(5, TaskStatus::skipped, Stream::usage_stats);
    record(1, TaskStatus::done, Stream::energy_levels);
    record(1, TaskStatus::skipped, Stream::energy_levels);
    const auto settled = [this](std::vector<calendar::Period> periods) {
        return transact([&](Transaction& transaction) { return settled_energy_levels(transaction, periods); });
    };
    const auto stored = [this](std::vector<calendar::Period> periods) {
        return transact([&](Transaction& transaction) { return stored_energy_levels(transaction, periods); });
    };
    constexpr core::Date first = 2026_y / 6 / 1;
    constexpr calendar::Period june{first, 2026_y / 6 / 30};
    constexpr calendar::Period may{2026_y / 5 / 1, 2026_y / 5 / 31};
    EXPECT_EQ(settled({june}), (std::vector<EnergyLevelsCell>{{1, "", first}, {2, "b", first}, {3, "", first}}));
    EXPECT_EQ(stored({june}), (std::vector<EnergyLevelsCell>{{1, "", first}, {2, "b", first}}));
    EXPECT_THAT(settled({june, may}), SizeIs(4));
    EXPECT_THAT(settled({}), IsEmpty());
    constexpr calendar::Period two_months{first, 2026_y / 7 / 31};
    EXPECT_THAT(settled({two_months}), IsEmpty()) << "another length is another period";
    transact([](Transaction& transaction) {
        record_settings(transaction, {"UTC", "04:30", "UTC", 3, 5, 7, true, true, {50}},
                        date::sys_days{2026_y / 5 / 10});
    });
    EXPECT_THAT(settled({june}), SizeIs(3)) << "quarters count from July on";
}

}  // namespace
}  // namespace heiasync::history
