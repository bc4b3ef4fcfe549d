#include "history/reports.hpp"

#include "documents/open_answers.hpp"
#include "history/derived_rows.hpp"
#include "history/survey_rows.hpp"
#include "history/sync_runs.hpp"
#include "history/transaction.hpp"

#include <stdexcept>

namespace heiasync::history {
namespace {

constexpr auto kind = documents::SurveyDocumentKind::report;

constexpr Statement take_id{"number a report",
                            "SELECT nextval(pg_get_serial_sequence('heiasync.report_versions', 'report_version_id'))"};
constexpr auto columns = with_result_columns(std::array{"report_version_id", "report_id", "organisation_id", "ordinal",
                                                        "scope", "team_id", "team_name", "tag_id", "tag_name"});
constexpr Statement insert_version{
    "store a report",
    "INSERT INTO heiasync.report_versions (report_version_id, report_id, organisation_id, business_id, sub_report, "
    "title, business_description, generated_at, document_generated_at, first_viewed_at, scheduled_survey_id, "
    "scheduled_survey_title, survey_id, survey_title, started_at, ends_on, closed, enabled_questions, copy_questions, "
    "first_listed_at, downloaded_at, document, document_status, sync_run_id, question_set_id) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
    "coalesce((SELECT first_listed_at FROM heiasync.report_listings "
    "          WHERE organisation_id = $3 AND report_id = $2 AND generated_at = $8), $20), "
    "$21, document, CASE WHEN document IS NULL THEN 'too_large' ELSE $22 END, $23, $24 "
    "FROM (SELECT heiasync.to_document(heiasync.sent_text($25)) AS document OFFSET 0) AS sent "
    "RETURNING document_status"};
// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
#define INSERT_INSTANCES(table)                                                                           \
    "INSERT INTO " table                                                                                  \
    " (report_version_id, ordinal, generated_at, start_time, ends_on, "                                   \
    "minimum_answer_count, point_minimum, point_maximum, point_step, open_questions, similarities, "      \
    "organisation_id) "                                                                                   \
    "SELECT $1, place - 1, generated_at, start_time, ends_on, minimum_answer_count, point_minimum, "      \
    "point_maximum, point_step, nullif(instances -> (place - 1)::integer -> 'open_questions', 'null'), "  \
    "nullif(instances -> (place - 1)::integer -> 'similarities', 'null'), $2 "                            \
    "FROM (SELECT document -> 'instances' AS instances FROM heiasync.report_versions "                    \
    "      WHERE organisation_id = $2 AND report_version_id = $1 OFFSET 0) AS stored, "                   \
    "unnest($3::timestamptz[], $4::timestamptz[], $5::date[], $6::bigint[], $7::float8[], $8::float8[], " \
    "$9::float8[]) WITH ORDINALITY AS round (generated_at, start_time, ends_on, minimum_answer_count, "   \
    "point_minimum, point_maximum, point_step, place)"
// NOLINTEND(cppcoreguidelines-macro-usage)
constexpr Statement insert_instances{"store the rounds of a report", INSERT_INSTANCES("heiasync.report_instances")};
constexpr Statement derive_instances{"derive the rounds of a report",
                                     INSERT_INSTANCES("pg_temp.derived_report_instances")};
constexpr OriginalsTable originals{
    "store the bytes of a report",
    "heiasync.report_originals",
    "report_version_id",
    {"read the bytes of a report",
     "SELECT piece, coding, document_size, document_sha256, exact, bytes FROM heiasync.report_originals "
     "WHERE organisation_id = $1 AND report_version_id = $2 AND piece > $3 ORDER BY piece LIMIT 1"},
    {"remove the bytes of a report",
     "DELETE FROM heiasync.report_originals WHERE organisation_id = $1 AND report_version_id = $2"}};
constexpr Statement select_version{"read a report",
                                   "SELECT report_id, (extract(epoch FROM downloaded_at) * 1000000)::bigint "
                                   "FROM heiasync.report_versions WHERE organisation_id = $1 AND report_version_id = "
                                   "$2"};
constexpr Statement update_version{
    "rebuild a report",
    "UPDATE heiasync.report_versions AS stored "
    "SET title = derived.title, business_description = derived.business_description, "
    "    document_generated_at = derived.document_generated_at, document = derived.document, "
    "    document_status = derived.document_status, question_set_id = derived.question_set_id "
    "FROM (SELECT $3::text AS title, $4::text AS business_description, $5::timestamptz AS document_generated_at, "
    "             document, CASE WHEN document IS NULL THEN 'too_large' ELSE $6 END AS document_status, "
    "             $7::bigint AS question_set_id "
    "      FROM (SELECT heiasync.to_document(heiasync.sent_text($8)) AS document OFFSET 0) AS sent OFFSET 0) AS "
    "derived "
    "WHERE organisation_id = $1 AND report_version_id = $2 "
    "  AND record_image_ne("
    "        ROW (stored.title, stored.business_description, stored.document_generated_at, stored.document, "
    "             stored.document_status, stored.question_set_id), "
    "        ROW (derived.title, derived.business_description, derived.document_generated_at, derived.document, "
    "             derived.document_status, derived.question_set_id))"};
constexpr Statement replace_document{
    "replace the document of a report",
    "UPDATE heiasync.report_versions AS stored "
    "SET document = sent.document, "
    "    document_status = CASE WHEN sent.document IS NULL THEN 'too_large' ELSE $3 END "
    "FROM (SELECT heiasync.to_document(heiasync.sent_text($4)) AS document OFFSET 0) AS sent "
    "WHERE organisation_id = $1 AND report_version_id = $2"};
constexpr Statement replace_open_questions{
    "replace the open answers of a report",
    "UPDATE heiasync.report_instances AS round "
    "SET open_questions = nullif(instances -> ordinal::integer -> 'open_questions', 'null') "
    "FROM (SELECT document -> 'instances' AS instances FROM heiasync.report_versions "
    "      WHERE organisation_id = $1 AND report_version_id = $2 OFFSET 0) AS stored "
    "WHERE organisation_id = $1 AND report_version_id = $2 AND open_questions IS NOT NULL"};
constexpr Statement insert_source{
    "store the source of a report",
    "INSERT INTO heiasync.report_sources (report_version_id, data_instance_id, organisation_id) "
    "VALUES ($1, heiasync.sent_text($2), $3)"};
constexpr Statement select_versions{
    "read which reports are stored",
    "SELECT organisation_id, report_id, (extract(epoch FROM generated_at) * 1000000)::bigint "
    "FROM heiasync.report_versions WHERE organisation_id = ANY ($1::bigint[]) "
    "ORDER BY organisation_id, report_id, generated_at"};
constexpr RowsStatement insert_listed{
    {"record the listed reports",
     "INSERT INTO heiasync.report_listings (organisation_id, report_id, generated_at, first_listed_at, sync_run_id, "
     "business_id) "
     "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::text[]) "
     "AS listed (organisation_id, report_id, generated_at, first_listed_at, sync_run_id, business_id) "
     "WHERE NOT EXISTS (SELECT FROM heiasync.report_versions AS stored "
     "                  WHERE stored.organisation_id = listed.organisation_id "
     "                    AND stored.report_id = listed.report_id AND stored.generated_at = listed.generated_at) "
     "ON CONFLICT DO NOTHING"}};

class ReportResults final : public ResultRows {
public:
    ReportResults(Transaction& transaction, const char* table, std::int64_t id, std::int64_t report_id,
                  std::int64_t organisation_id)
        : ResultRows{transaction, "store results of a report", table, columns},
          document_{id, report_id, organisation_id} {}

    void visit(std::int64_t ordinal, const documents::GroupResult& result) override {
        const documents::Group& group = result.group;
        row_ = document_;
        row_.add(ordinal, to_string(group.scope), group.team_id, group.team_name, group.tag_id, group.tag_name);
        send(row_, result);
    }

private:
    Row document_;  ///< the keys of the document
    Row row_;
};

void store_instances(Transaction& transaction, const Statement& statement, std::int64_t id,
                     std::int64_t organisation_id, const std::vector<documents::Instance>& instances) {
    using documents::Instance;
    const auto column = [&instances](auto member) {
        return Value::array(instances, [member](const Instance& instance) { return Value{instance.*member}; });
    };
    transaction.run(statement, id, organisation_id, column(&Instance::generated_at), column(&Instance::start_time),
                    column(&Instance::ends_on), column(&Instance::minimum_answer_count),
                    column(&Instance::point_minimum), column(&Instance::point_maximum), column(&Instance::point_step));
}

std::optional<core::Instant> generated_at(const documents::SurveyDocument& document) {
    return document.instances.empty() ? std::nullopt : document.instances.front().generated_at;
}

}  // namespace

StoredDocument store_report(Transaction& transaction, const ReportSnapshot& snapshot,
                            const documents::Original& original) {
    const documents::Report& report = snapshot.report;
    if (!report.ready()) {
        throw std::logic_error{"a report that is not ready has no document"};
    }
    const auto id = transaction.run(take_id)[0][0].as<std::int64_t>();
    ReportResults results{transaction, "heiasync.report_results", id, report.id, snapshot.organisation_id};
    documents::SurveyDocument document = documents::decode_survey_document(kind, original, results);
    results.finish();

    const std::int64_t questions = store_questions(transaction, document.questions);
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, original);
    const std::int64_t source = sender.send(storable_text(report.data_instance_id.reveal()));
    sender.finish();
    const auto stored =
        transaction.run(insert_version, id, report.id, snapshot.organisation_id, report.business_id, report.sub_report,
                        document.title, document.business_description, report.generated_at, generated_at(document),
                        report.first_viewed_at, report.scheduled_survey_id, report.scheduled_survey_title,
                        report.survey_id, report.survey_title, report.started_at, report.ends_on, report.closed,
                        Value::array(report.enabled_questions), Value::array(report.copy_questions), snapshot.listed_at,
                        snapshot.downloaded_at, to_string(sent.status), snapshot.sync_run_id, questions, sent.number);
    store_instances(transaction, insert_instances, id, snapshot.organisation_id, document.instances);
    store_original(transaction, originals, snapshot.organisation_id, id, original);
    transaction.run(insert_source, id, source, snapshot.organisation_id);
    return {id, document_status(stored[0][0].as<std::string>()), std::move(document.drift)};
}

bool rebuild_report(Transaction& transaction, std::int64_t organisation_id, std::int64_t report_version_id) {
    const auto row = transaction.run(select_version, organisation_id, report_version_id)[0];
    const documents::Original original = read_original(transaction, originals, organisation_id, report_version_id);

    ReportResults results{transaction, with_derived_table(transaction, derived_report_results), report_version_id,
                          row[0].as<std::int64_t>(), organisation_id};
    const documents::SurveyDocument document = documents::decode_survey_document(kind, original, results);
    results.finish();
    const Row key{organisation_id, report_version_id};
    bool changed = replace_rows(transaction, derived_report_results, key);

    const RestoredQuestions questions = restore_questions(transaction, document.questions);
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, original);
    sender.finish();
    changed |= questions.changed;
    changed |=
        transaction
            .run(update_version, organisation_id, report_version_id, document.title, document.business_description,
                 generated_at(document), to_string(sent.status), questions.set, sent.number)
            .affected_rows() > 0;
    with_derived_table(transaction, derived_report_instances);
    store_instances(transaction, derive_instances, report_version_id, organisation_id, document.instances);
    changed |= replace_rows(transaction, derived_report_instances, key);
    record_drift(transaction, Stream::reports, document.drift, instant_of(row[1]));
    return changed;
}

std::optional<documents::Original> report_without_open_answers(Transaction& transaction, std::int64_t organisation_id,
                                                               std::int64_t report_version_id) {
    return documents::without_open_answers("report_data",
                                           read_original(transaction, originals, organisation_id, report_version_id));
}

void replace_report(Transaction& transaction, std::int64_t organisation_id, std::int64_t report_version_id,
                    const documents::Original& rest) {
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, rest);
    sender.finish();
    transaction.run(replace_document, organisation_id, report_version_id, to_string(sent.status), sent.number);
    transaction.run(replace_open_questions, organisation_id, report_version_id);
    replace_original(transaction, originals, organisation_id, report_version_id, rest);
}

std::vector<ReportVersion> stored_report_versions(Transaction& transaction,
                                                  const std::vector<std::int64_t>& organisation_ids) {
    std::vector<ReportVersion> versions;
    for (const auto& row : transaction.run(select_versions, Value::array(organisation_ids))) {
        versions.push_back({row[0].as<std::int64_t>(), row[1].as<std::int64_t>(), instant_of(row[2])});
    }
    return versions;
}

void record_listed_reports(Transaction& transaction, std::int64_t sync_run_id, std::int64_t organisation_id,
                           const std::vector<documents::Report>& reports, core::Instant listed_at) {
    for (const documents::Report& report : reports) {
        if (report.ready()) {
            transaction.add_row(insert_listed, organisation_id, report.id, *report.generated_at, listed_at, sync_run_id,
                                report.business_id);
        }
    }
}

}  // namespace heiasync::history
