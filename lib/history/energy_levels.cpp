#include "history/energy_levels.hpp"

#include "documents/open_answers.hpp"
#include "history/derived_rows.hpp"
#include "history/survey_rows.hpp"
#include "history/sync_runs.hpp"
#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

constexpr auto kind = documents::SurveyDocumentKind::energy_levels;

constexpr Statement take_id{"number energy levels",
                            "SELECT nextval(pg_get_serial_sequence('heiasync.energy_levels', 'energy_level_id'))"};
constexpr auto columns = with_result_columns(std::array{"energy_level_id", "organisation_id", "business_id",
                                                        "period_start", "period_end", "scope", "team_id", "team_name"});
constexpr Statement insert_snapshot{
    "store energy levels",
    "INSERT INTO heiasync.energy_levels (energy_level_id, organisation_id, business_id, period_start, period_end, "
    "fetched_at, days_late, minimum_answer_count, document, document_status, sync_run_id, question_set_id) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, document, CASE WHEN document IS NULL THEN 'too_large' ELSE $9 END, $10, "
    "$11 "
    "FROM (SELECT heiasync.to_document(heiasync.sent_text($12)) AS document OFFSET 0) AS sent "
    "RETURNING document_status"};
constexpr OriginalsTable originals{
    "store the bytes of energy levels",
    "heiasync.energy_level_originals",
    "energy_level_id",
    {"read the bytes of energy levels",
     "SELECT piece, coding, document_size, document_sha256, exact, bytes FROM heiasync.energy_level_originals "
     "WHERE organisation_id = $1 AND energy_level_id = $2 AND piece > $3 ORDER BY piece LIMIT 1"},
    {"remove the bytes of energy levels",
     "DELETE FROM heiasync.energy_level_originals WHERE organisation_id = $1 AND energy_level_id = $2"}};
constexpr Statement select_snapshot{"read energy levels",
                                    "SELECT business_id, period_start, period_end, "
                                    "       (extract(epoch FROM fetched_at) * 1000000)::bigint "
                                    "FROM heiasync.energy_levels WHERE organisation_id = $1 AND energy_level_id = $2"};
constexpr Statement update_snapshot{
    "rebuild energy levels",
    "UPDATE heiasync.energy_levels AS stored "
    "SET minimum_answer_count = derived.minimum_answer_count, document = derived.document, "
    "    document_status = derived.document_status, question_set_id = derived.question_set_id "
    "FROM (SELECT $3::bigint AS minimum_answer_count, document, "
    "             CASE WHEN document IS NULL THEN 'too_large' ELSE $4 END AS document_status, "
    "             $5::bigint AS question_set_id "
    "      FROM (SELECT heiasync.to_document(heiasync.sent_text($6)) AS document OFFSET 0) AS sent OFFSET 0) AS "
    "derived "
    "WHERE organisation_id = $1 AND energy_level_id = $2 "
    "  AND record_image_ne("
    "        ROW (stored.minimum_answer_count, stored.document, stored.document_status, stored.question_set_id), "
    "        ROW (derived.minimum_answer_count, derived.document, derived.document_status, derived.question_set_id))"};
constexpr Statement replace_document{
    "replace the document of energy levels",
    "UPDATE heiasync.energy_levels AS stored "
    "SET document = sent.document, "
    "    document_status = CASE WHEN sent.document IS NULL THEN 'too_large' ELSE $3 END "
    "FROM (SELECT heiasync.to_document(heiasync.sent_text($4)) AS document OFFSET 0) AS sent "
    "WHERE organisation_id = $1 AND energy_level_id = $2"};
// A skip has no period_end: it was of the period that begins on that day by the lengths in force.
constexpr Statement select_settled{
    "read which energy levels are settled",
    "WITH due AS (SELECT * FROM unnest($1::date[], $2::date[]) AS due (period_start, period_end)), "
    "in_force AS MATERIALIZED (SELECT due.* FROM due CROSS JOIN LATERAL "
    "    heiasync.reporting_periods(due.period_start, due.period_start) AS period WHERE period = due) "
    "SELECT organisation_id, business_id, period_start "
    "FROM heiasync.energy_levels JOIN due USING (period_start, period_end) "
    "UNION "
    "SELECT organisation_id, business_id, period_start FROM heiasync.sync_tasks JOIN in_force USING (period_start) "
    "WHERE stream = 'energy_levels' AND status = 'skipped' "
    "ORDER BY organisation_id, business_id, period_start"};
constexpr Statement select_stored{"read which energy levels are stored",
                                  "SELECT organisation_id, business_id, period_start FROM heiasync.energy_levels "
                                  "JOIN unnest($1::date[], $2::date[]) AS due (period_start, period_end) "
                                  "USING (period_start, period_end) "
                                  "ORDER BY organisation_id, business_id, period_start"};

std::vector<EnergyLevelsCell> select_cells(Transaction& transaction, const Statement& statement,
                                           const std::vector<calendar::Period>& periods) {
    const auto column = [&periods](auto member) {
        return Value::array(periods, [member](const calendar::Period& period) { return Value{period.*member}; });
    };
    std::vector<EnergyLevelsCell> cells;
    for (const auto& row :
         transaction.run(statement, column(&calendar::Period::start), column(&calendar::Period::end))) {
        cells.push_back(
            {row[0].as<std::int64_t>(), row[1].as<std::string>(), core::parse_date(row[2].as<std::string>())});
    }
    return cells;
}

class EnergyLevelResults final : public ResultRows {
public:
    EnergyLevelResults(Transaction& transaction, const char* table, std::int64_t id,
                       const EnergyLevelsSnapshot& snapshot)
        : ResultRows{transaction, "store results of energy levels", table, columns},
          document_{id, snapshot.organisation_id, snapshot.business_id, snapshot.period_start, snapshot.period_end} {}

    void visit(std::int64_t /*ordinal*/, const documents::GroupResult& result) override {
        row_ = document_;
        row_.add(to_string(result.group.scope), result.group.team_id, result.group.team_name);
        send(row_, result);
    }

private:
    Row document_;  ///< the keys of the document
    Row row_;
};

std::optional<std::int64_t> minimum_answer_count(const documents::SurveyDocument& document) {
    return document.instances.empty() ? std::nullopt : document.instances.front().minimum_answer_count;
}

}  // namespace

StoredDocument store_energy_levels(Transaction& transaction, const EnergyLevelsSnapshot& snapshot,
                                   const documents::Original& original) {
    const auto id = transaction.run(take_id)[0][0].as<std::int64_t>();
    EnergyLevelResults results{transaction, "heiasync.energy_level_results", id, snapshot};
    documents::SurveyDocument document = documents::decode_survey_document(kind, original, results);
    results.finish();

    const std::int64_t questions = store_questions(transaction, document.questions);
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, original);
    sender.finish();
    const auto stored =
        transaction.run(insert_snapshot, id, snapshot.organisation_id, snapshot.business_id, snapshot.period_start,
                        snapshot.period_end, snapshot.fetched_at, snapshot.days_late, minimum_answer_count(document),
                        to_string(sent.status), snapshot.sync_run_id, questions, sent.number);
    store_original(transaction, originals, snapshot.organisation_id, id, original);
    return {id, document_status(stored[0][0].as<std::string>()), std::move(document.drift)};
}

bool rebuild_energy_levels(Transaction& transaction, std::int64_t organisation_id, std::int64_t energy_level_id) {
    const auto row = transaction.run(select_snapshot, organisation_id, energy_level_id)[0];
    EnergyLevelsSnapshot snapshot;
    snapshot.organisation_id = organisation_id;
    snapshot.business_id = row[0].as<std::string>();
    snapshot.period_start = core::parse_date(row[1].as<std::string>());
    snapshot.period_end = core::parse_date(row[2].as<std::string>());
    snapshot.fetched_at = instant_of(row[3]);
    const documents::Original original = read_original(transaction, originals, organisation_id, energy_level_id);

    EnergyLevelResults results{transaction, with_derived_table(transaction, derived_energy_level_results),
                               energy_level_id, snapshot};
    const documents::SurveyDocument document = documents::decode_survey_document(kind, original, results);
    results.finish();
    bool changed = replace_rows(transaction, derived_energy_level_results, Row{organisation_id, energy_level_id});

    const RestoredQuestions questions = restore_questions(transaction, document.questions);
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, original);
    sender.finish();
    changed |= questions.changed;
    changed |= transaction
                   .run(update_snapshot, organisation_id, energy_level_id, minimum_answer_count(document),
                        to_string(sent.status), questions.set, sent.number)
                   .affected_rows() > 0;
    record_drift(transaction, Stream::energy_levels, document.drift, snapshot.fetched_at);
    return changed;
}

std::optional<documents::Original> energy_levels_without_open_answers(Transaction& transaction,
                                                                      std::int64_t organisation_id,
                                                                      std::int64_t energy_level_id) {
    return documents::without_open_answers(to_string(Stream::energy_levels),
                                           read_original(transaction, originals, organisation_id, energy_level_id));
}

void replace_energy_levels(Transaction& transaction, std::int64_t organisation_id, std::int64_t energy_level_id,
                           const documents::Original& rest) {
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, rest);
    sender.finish();
    transaction.run(replace_document, organisation_id, energy_level_id, to_string(sent.status), sent.number);
    replace_original(transaction, originals, organisation_id, energy_level_id, rest);
}

std::vector<EnergyLevelsCell> settled_energy_levels(Transaction& transaction,
                                                    const std::vector<calendar::Period>& periods) {
    return select_cells(transaction, select_settled, periods);
}

std::vector<EnergyLevelsCell> stored_energy_levels(Transaction& transaction,
                                                   const std::vector<calendar::Period>& periods) {
    return select_cells(transaction, select_stored, periods);
}

}  // namespace heiasync::history
