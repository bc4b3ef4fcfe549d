#include "history/energy_levels.hpp"

#include "history/survey_rows.hpp"
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
constexpr OriginalsTable originals{"store the bytes of energy levels", "heiasync.energy_level_originals",
                                   "energy_level_id"};
// The length of a period that was skipped is that of the settings at the time.
constexpr Statement select_settled{
    "read which energy levels are settled",
    "WITH due AS (SELECT * FROM unnest($1::date[], $2::date[]) AS due (period_start, period_end)) "
    "SELECT organisation_id, business_id, period_start "
    "FROM heiasync.energy_levels JOIN due USING (period_start, period_end) "
    "UNION "
    "SELECT task.organisation_id, task.business_id, period_start "
    "FROM heiasync.sync_tasks AS task JOIN due USING (period_start) "
    "WHERE task.stream = 'energy_levels' AND task.status = 'skipped' "
    "  AND due.period_end + 1 = period_start + make_interval(months => ("
    "      SELECT reporting_period_months::integer FROM heiasync.settings_history "
    "      WHERE valid_from <= task.started_at ORDER BY settings_id DESC LIMIT 1)) "
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
    EnergyLevelResults(Transaction& transaction, std::int64_t id, const EnergyLevelsSnapshot& snapshot)
        : ResultRows{transaction, "store results of energy levels", "heiasync.energy_level_results", columns},
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

}  // namespace

StoredDocument store_energy_levels(Transaction& transaction, const EnergyLevelsSnapshot& snapshot,
                                   const documents::Original& original) {
    const auto id = transaction.run(take_id)[0][0].as<std::int64_t>();
    EnergyLevelResults results{transaction, id, snapshot};
    documents::SurveyDocument document = documents::decode_survey_document(kind, original, results);
    results.finish();

    const std::int64_t questions = store_questions(transaction, document.questions);
    TextSender sender{transaction};
    const SentDocument sent = sender.send(kind, original);
    sender.finish();
    std::optional<std::int64_t> minimum_answer_count;
    if (!document.instances.empty()) {
        minimum_answer_count = document.instances.front().minimum_answer_count;
    }
    const auto stored =
        transaction.run(insert_snapshot, id, snapshot.organisation_id, snapshot.business_id, snapshot.period_start,
                        snapshot.period_end, snapshot.fetched_at, snapshot.days_late, minimum_answer_count,
                        to_string(sent.status), snapshot.sync_run_id, questions, sent.number);
    store_original(transaction, originals, snapshot.organisation_id, id, original);
    return {id, document_status(stored[0][0].as<std::string>()), std::move(document.drift)};
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
