#include "history/rebuild.hpp"

#include "history/energy_levels.hpp"
#include "history/error.hpp"
#include "history/reports.hpp"
#include "history/transaction.hpp"

#include <fmt/format.h>

#include <string>

namespace heiasync::history {
namespace {

using documents::SurveyDocumentKind;

constexpr Statement ask_for_right{
    "ask for the right to rebuild",
    "SELECT current_user, bool_and(has_table_privilege('heiasync.' || name, privilege)) "
    "FROM (VALUES ('energy_level_results', 'DELETE'), ('report_results', 'DELETE'), ('report_instances', 'DELETE'), "
    "             ('survey_questions', 'DELETE'), ('question_sets', 'DELETE'), ('energy_levels', 'UPDATE'), "
    "('report_versions', 'UPDATE')) "
    "AS needed (name, privilege)"};
constexpr Statement count_energy_levels{
    "count energy levels",
    "SELECT count(*) FROM heiasync.energy_levels WHERE $1::timestamptz IS NULL OR fetched_at >= $1"};
constexpr Statement count_reports{
    "count reports",
    "SELECT count(*) FROM heiasync.report_versions WHERE $1::timestamptz IS NULL OR downloaded_at >= $1"};
constexpr Statement select_energy_levels{
    "read which energy levels there are",
    "SELECT organisation_id, energy_level_id FROM heiasync.energy_levels "
    "WHERE ($1::timestamptz IS NULL OR fetched_at >= $1) AND (organisation_id, energy_level_id) > ($2, $3) "
    "ORDER BY organisation_id, energy_level_id LIMIT $4"};
constexpr Statement select_reports{
    "read which reports there are",
    "SELECT organisation_id, report_version_id FROM heiasync.report_versions "
    "WHERE ($1::timestamptz IS NULL OR downloaded_at >= $1) AND (organisation_id, report_version_id) > ($2, $3) "
    "ORDER BY organisation_id, report_version_id LIMIT $4"};
constexpr Statement erase_questions{
    "erase unused questions",
    "WITH unused AS ("
    "    SELECT question_set_id FROM heiasync.question_sets AS questions "
    "    WHERE NOT EXISTS (SELECT FROM heiasync.report_versions AS asked "
    "                      WHERE asked.question_set_id = questions.question_set_id) "
    "      AND NOT EXISTS (SELECT FROM heiasync.energy_levels AS asked "
    "                      WHERE asked.question_set_id = questions.question_set_id)"
    "), erased AS ("
    "    DELETE FROM heiasync.survey_questions WHERE question_set_id IN (SELECT question_set_id FROM unused)"
    ") DELETE FROM heiasync.question_sets WHERE question_set_id IN (SELECT question_set_id FROM unused)"};

}  // namespace

void require_right_to_rebuild(Transaction& transaction) {
    const auto row = transaction.run(ask_for_right)[0];
    if (!row[1].as<bool>()) {
        throw DatabaseError{DatabaseError::Kind::schema,
                            fmt::format("the role {} may not replace rows of the history: rebuild as its owner, whom "
                                        "database.owner_url names",
                                        row[0].as<std::string>()),
                            ""};
    }
}

std::int64_t count_documents(Transaction& transaction, const DocumentSelection& selection) {
    const bool reports = selection.kind == SurveyDocumentKind::report;
    return transaction.run(reports ? count_reports : count_energy_levels, selection.since)[0][0].as<std::int64_t>();
}

std::vector<DocumentKey> documents_after(Transaction& transaction, const DocumentSelection& selection,
                                         const DocumentKey& last, int at_most) {
    const bool reports = selection.kind == SurveyDocumentKind::report;
    std::vector<DocumentKey> keys;
    for (const auto& row : transaction.run(reports ? select_reports : select_energy_levels, selection.since,
                                           last.organisation_id, last.id, at_most)) {
        keys.push_back({row[0].as<std::int64_t>(), row[1].as<std::int64_t>()});
    }
    return keys;
}

bool rebuild_document(Transaction& transaction, SurveyDocumentKind kind, const DocumentKey& document) {
    return kind == SurveyDocumentKind::report
               ? rebuild_report(transaction, document.organisation_id, document.id)
               : rebuild_energy_levels(transaction, document.organisation_id, document.id);
}

void erase_unused_questions(Transaction& transaction) {
    transaction.run(erase_questions);
}

}  // namespace heiasync::history
