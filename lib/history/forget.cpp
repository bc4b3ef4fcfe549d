#include "history/forget.hpp"

#include "documents/decode_error.hpp"
#include "documents/original.hpp"
#include "history/energy_levels.hpp"
#include "history/error.hpp"
#include "history/reports.hpp"
#include "history/survey_rows.hpp"
#include "history/transaction.hpp"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <numeric>
#include <span>
#include <utility>

namespace heiasync::history {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
#define ORGANISATION "organisation_id = $1 AND $2::bigint IS NULL"
#define REPORT "organisation_id = $1 AND ($2::bigint IS NULL OR report_id = $2)"
#define VERSION                                                                                            \
    "organisation_id = $1 AND ($2::bigint IS NULL OR report_version_id IN (SELECT report_version_id FROM " \
    "heiasync.report_versions AS version WHERE version.organisation_id = $1 AND version.report_id = $2))"
#define ERASED(relation, condition)                                                                   \
    {                                                                                                 \
        relation, {"count " relation, "SELECT count(*) FROM heiasync." relation " WHERE " condition}, \
            {"erase " relation, "DELETE FROM heiasync." relation " WHERE " condition},                \
    }
// NOLINTEND(cppcoreguidelines-macro-usage)

/// What a relation has of an organisation ($1), or of a report of it ($2).
struct ErasedRelation {
    std::string_view name;
    Statement count;
    Statement erase;
};

/// Whoever refers to another one comes before it.
constexpr std::array<ErasedRelation, 11> erased_relations{{
    ERASED("report_originals", VERSION),
    ERASED("report_sources", VERSION),
    ERASED("report_results", VERSION),
    ERASED("report_instances", VERSION),
    ERASED("report_versions", REPORT),
    ERASED("report_listings", REPORT),
    ERASED("energy_level_originals", ORGANISATION),
    ERASED("energy_level_results", ORGANISATION),
    ERASED("energy_levels", ORGANISATION),
    ERASED("usage_stats", ORGANISATION),
    ERASED("organisation_versions", ORGANISATION),
}};

// Questions can be an organisation's own. Those that no document has any more may have been, too.
constexpr Statement select_own_questions{
    "read which questions nobody else has",
    "SELECT coalesce(array_agg(question_set_id), '{}')::text FROM heiasync.question_sets AS own "
    "WHERE NOT EXISTS (SELECT FROM heiasync.report_versions AS other "
    "                  WHERE other.question_set_id = own.question_set_id AND (" REPORT
    ") IS NOT TRUE) "
    "  AND NOT EXISTS (SELECT FROM heiasync.energy_levels AS other "
    "                  WHERE other.question_set_id = own.question_set_id AND (" ORGANISATION ") IS NOT TRUE)"};
constexpr std::array<ErasedRelation, 2> own_question_relations{{
    {"survey_questions",
     {"count survey_questions",
      "SELECT count(*) FROM heiasync.survey_questions WHERE question_set_id = ANY ($1::bigint[])"},
     {"erase survey_questions", "DELETE FROM heiasync.survey_questions WHERE question_set_id = ANY ($1::bigint[])"}},
    {"question_sets",
     {"count question_sets", "SELECT count(*) FROM heiasync.question_sets WHERE question_set_id = ANY ($1::bigint[])"},
     {"erase question_sets", "DELETE FROM heiasync.question_sets WHERE question_set_id = ANY ($1::bigint[])"}},
}};

constexpr Statement ask_for_right{
    "ask for the right to forget",
    "SELECT current_user, bool_and(has_table_privilege('heiasync.' || name, privilege)) "
    "FROM (VALUES ('usage_stats', 'DELETE'), ('energy_levels', 'DELETE'), ('report_versions', 'DELETE'), "
    "             ('report_originals', 'DELETE'), ('organisation_versions', 'DELETE'), ('survey_questions', 'DELETE'), "
    "             ('report_versions', 'UPDATE'), ('erasures', 'INSERT')) AS needed (name, privilege)"};
constexpr Statement select_organisations_with_report{
    "look for a report",
    "SELECT organisation_id FROM heiasync.report_versions WHERE report_id = $1 "
    "UNION SELECT organisation_id FROM heiasync.report_listings WHERE report_id = $1 "
    "UNION SELECT organisation_id FROM heiasync.erasures WHERE report_id = $1 ORDER BY organisation_id"};
constexpr Statement ask_whether_known{
    "look for what is to be erased",
    "SELECT CASE WHEN $2::bigint IS NULL THEN "
    "    EXISTS (SELECT FROM heiasync.organisation_versions WHERE organisation_id = $1) "
    "    OR EXISTS (SELECT FROM heiasync.erasures WHERE organisation_id = $1 AND what = 'organisation') "
    "ELSE "
    "    EXISTS (SELECT FROM heiasync.report_versions WHERE organisation_id = $1 AND report_id = $2) "
    "    OR EXISTS (SELECT FROM heiasync.report_listings WHERE organisation_id = $1 AND report_id = $2) "
    "    OR EXISTS (SELECT FROM heiasync.erasures WHERE organisation_id = $1 AND report_id = $2) "
    "END"};
constexpr Statement select_name{"read the name of an organisation",
                                "SELECT name FROM heiasync.organisations WHERE organisation_id = $1"};
// Compared without case, spaces and punctuation. One letter would be found in every text.
constexpr Statement ask_for_names{
    "look for names in a text",
    "SELECT EXISTS ("
    "    SELECT FROM ("
    "        SELECT name FROM heiasync.organisation_versions WHERE organisation_id = $1 "
    "        UNION SELECT unnest(business_ids) FROM heiasync.organisation_versions WHERE organisation_id = $1 "
    "        UNION SELECT unnest(ARRAY[title, business_description, scheduled_survey_title, "
    "                                  document #>> '{organisation,name}', document #>> '{organisation,business_id}', "
    "                                  document #>> '{organisation,company_code}']) "
    "              FROM heiasync.report_versions WHERE " REPORT
    "        UNION SELECT unnest(ARRAY[document #>> '{organisation,name}', document #>> '{organisation,business_id}', "
    "                                  document #>> '{organisation,company_code}']) "
    "              FROM heiasync.energy_levels WHERE " ORGANISATION
    "    ) AS names (name) "
    "    CROSS JOIN LATERAL (SELECT regexp_replace(lower(name), '[^[:alnum:]]', '', 'g') AS bare, "
    "        regexp_replace(lower(heiasync.sent_text($3)), '[^[:alnum:]]', '', 'g') AS text) AS letters "
    "    WHERE char_length(bare) > 2 AND position(bare IN text) > 0)"};
constexpr Statement select_reports_with_the_same_rounds{
    "look for the rounds of a report in others",
    "SELECT DISTINCT other.report_id "
    "FROM heiasync.report_versions AS version "
    "JOIN heiasync.report_instances AS round USING (organisation_id, report_version_id) "
    "JOIN heiasync.report_instances AS same "
    "  ON same.organisation_id = round.organisation_id AND same.generated_at = round.generated_at "
    "JOIN heiasync.report_versions AS other "
    "  ON other.organisation_id = same.organisation_id AND other.report_version_id = same.report_version_id "
    "WHERE version.organisation_id = $1 AND version.report_id = $2 AND other.report_id <> $2 "
    "ORDER BY other.report_id"};
constexpr Statement select_reports{"read which versions a report has",
                                   "SELECT report_version_id FROM heiasync.report_versions WHERE " REPORT
                                   " ORDER BY report_version_id"};
constexpr Statement select_energy_levels{"read which energy levels an organisation has",
                                         "SELECT energy_level_id FROM heiasync.energy_levels WHERE " ORGANISATION
                                         " ORDER BY energy_level_id"};
// What the planner keeps of the values in a table is there for everybody who may read it, until the table is looked at
// again; one without rows never is. So the texts go first, then the table is looked at, then the rows go. Not of the
// tables without names and texts: the largest is one of them.
constexpr std::array<Statement, 9> blank_texts{{
    {"blank report_originals", "UPDATE heiasync.report_originals SET bytes = '', document_sha256 = '' WHERE " VERSION},
    {"blank report_sources", "UPDATE heiasync.report_sources SET data_instance_id = '' WHERE " VERSION},
    {"blank report_results", "UPDATE heiasync.report_results SET team_name = NULL, tag_name = NULL WHERE " VERSION},
    {"blank report_instances",
     "UPDATE heiasync.report_instances SET open_questions = NULL, similarities = NULL WHERE " VERSION},
    {"blank report_versions",
     "UPDATE heiasync.report_versions SET business_id = '', title = NULL, business_description = NULL, "
     "scheduled_survey_title = NULL, survey_title = NULL, document = NULL WHERE " REPORT},
    {"blank energy_level_originals",
     "UPDATE heiasync.energy_level_originals SET bytes = '', document_sha256 = '' WHERE " ORGANISATION},
    {"blank energy_level_results", "UPDATE heiasync.energy_level_results SET team_name = NULL WHERE " ORGANISATION},
    {"blank energy_levels", "UPDATE heiasync.energy_levels SET document = NULL WHERE " ORGANISATION},
    {"blank organisation_versions",
     "UPDATE heiasync.organisation_versions SET name = '', business_ids = '{}' WHERE " ORGANISATION},
}};
constexpr Statement blank_questions{
    "blank survey_questions",
    "UPDATE heiasync.survey_questions SET title = NULL, category = NULL, options = NULL "
    "WHERE question_set_id = ANY ($1::bigint[])"};
constexpr const char* forget_samples =
    "ANALYZE heiasync.report_originals, heiasync.report_sources, heiasync.report_results, heiasync.report_instances, "
    "heiasync.report_versions, heiasync.energy_level_originals, heiasync.energy_level_results, heiasync.energy_levels, "
    "heiasync.organisation_versions, heiasync.survey_questions";
// Taking a large document apart takes longer than a session may leave a transaction alone.
constexpr const char* allow_for_large_documents = "SET LOCAL idle_in_transaction_session_timeout = '10min'";
constexpr Statement insert_receipt{
    "leave a receipt",
    "INSERT INTO heiasync.erasures (what, organisation_id, report_id, reason, erased_at, erased_by, rows) "
    "SELECT $1, $2, $3, $4, heiasync.current_instant(), session_user || ', ' || $5, $6 "
    "WHERE $6::bigint > 0 OR NOT EXISTS ("
    "    SELECT FROM heiasync.erasures AS earlier WHERE earlier.what = $1 AND earlier.organisation_id = $2 "
    "    AND earlier.report_id IS NOT DISTINCT FROM $3 AND earlier.lifted_at IS NULL)"};

enum class Mode { preview, erase };

void add(Erasure& erasure, std::string_view relation, std::int64_t count) {
    if (count > 0) {
        erasure.rows.push_back({relation, count});
    }
}

void erase(Transaction& transaction, std::span<const ErasedRelation> relations, const Row& key, Mode mode,
           Erasure& erasure) {
    for (const ErasedRelation& relation : relations) {
        if (mode == Mode::preview) {
            add(erasure, relation.name, transaction.run(relation.count, key)[0][0].as<std::int64_t>());
        } else {
            add(erasure, relation.name,
                static_cast<std::int64_t>(transaction.run(relation.erase, key).affected_rows()));
        }
    }
}

Erasure erase_all(Transaction& transaction, const ErasureSubject& subject, Mode mode) {
    Erasure erasure;
    const Row key{subject.organisation_id, subject.report_id};
    const auto own_questions = transaction.run(select_own_questions, key)[0][0].as<std::string>();
    if (mode == Mode::erase) {
        for (const Statement& statement : blank_texts) {
            transaction.run(statement, key);
        }
        transaction.run(blank_questions, own_questions);
        transaction.execute("forget samples of what is erased", forget_samples);
    }
    erase(transaction, erased_relations, key, mode, erasure);
    erase(transaction, own_question_relations, Row{own_questions}, mode, erasure);
    return erasure;
}

using Rest = std::optional<documents::Original>;

std::string untouched(const ErasureSubject& subject, std::string_view what, std::int64_t id,
                      const std::exception& error) {
    return fmt::format("organisation {}, {} {}: {}; open answers cannot be taken out of it, and nothing was erased",
                       subject.organisation_id, what, id, error.what());
}

/// How many of the documents have open answers, which are taken out of them.
std::int64_t erase_open_answers(Transaction& transaction, const ErasureSubject& subject, Mode mode,
                                const Statement& select, std::string_view what,
                                Rest (*rest_of)(Transaction&, std::int64_t, std::int64_t),
                                void (*replace)(Transaction&, std::int64_t, std::int64_t, const documents::Original&)) {
    std::int64_t count = 0;
    const Row key{subject.organisation_id, subject.report_id};
    for (const auto& row : transaction.run(select, key)) {
        const auto id = row[0].as<std::int64_t>();
        try {
            if (const Rest rest = rest_of(transaction, subject.organisation_id, id)) {
                ++count;
                if (mode == Mode::erase) {
                    replace(transaction, subject.organisation_id, id, *rest);
                }
            }
        } catch (const documents::DamagedOriginal& error) {
            throw documents::DamagedOriginal{untouched(subject, what, id, error)};
        } catch (const documents::DecodeError& error) {
            throw documents::DamagedOriginal{untouched(subject, what, id, error)};
        }
    }
    return count;
}

Erasure erase_open_answers(Transaction& transaction, const ErasureSubject& subject, Mode mode) {
    transaction.execute("allow for large documents", allow_for_large_documents);
    Erasure erasure;
    add(erasure, "report_versions",
        erase_open_answers(transaction, subject, mode, select_reports, "report version", report_without_open_answers,
                           replace_report));
    add(erasure, "energy_levels",
        erase_open_answers(transaction, subject, mode, select_energy_levels, "energy levels",
                           energy_levels_without_open_answers, replace_energy_levels));
    if (mode == Mode::erase) {
        transaction.execute("forget samples of what is erased", forget_samples);
    }
    return erasure;
}

Erasure erase(Transaction& transaction, const ErasureSubject& subject, Mode mode) {
    return subject.open_answers_only ? erase_open_answers(transaction, subject, mode)
                                     : erase_all(transaction, subject, mode);
}

std::string_view kind_of(const ErasureSubject& subject) {
    return subject.open_answers_only ? "open_answers" : subject.report_id ? "report" : "organisation";
}

std::vector<std::int64_t> numbers(const pqxx::result& rows) {
    std::vector<std::int64_t> numbers;
    for (const auto& row : rows) {
        numbers.push_back(row[0].as<std::int64_t>());
    }
    return numbers;
}

}  // namespace

std::int64_t Erasure::total() const {
    return std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                           [](std::int64_t sum, const Rows& of) { return sum + of.count; });
}

void require_right_to_forget(Transaction& transaction) {
    const auto row = transaction.run(ask_for_right)[0];
    if (!row[1].as<bool>()) {
        throw DatabaseError{DatabaseError::Kind::schema,
                            fmt::format("the role {} may not erase rows of the history: forget as its owner, whom "
                                        "database.owner_url names",
                                        row[0].as<std::string>()),
                            ""};
    }
}

std::vector<std::int64_t> organisations_with_report(Transaction& transaction, std::int64_t report_id) {
    return numbers(transaction.run(select_organisations_with_report, report_id));
}

bool is_known(Transaction& transaction, const ErasureSubject& subject) {
    return transaction.run(ask_whether_known, subject.organisation_id, subject.report_id)[0][0].as<bool>();
}

std::optional<std::string> name_of_organisation(Transaction& transaction, std::int64_t organisation_id) {
    const auto rows = transaction.run(select_name, organisation_id);
    return rows.empty() ? std::nullopt : std::optional{rows[0][0].as<std::string>()};
}

bool names_the_subject(Transaction& transaction, const ErasureSubject& subject, std::string_view text) {
    // What is refused is not to stand in the server's log.
    TextSender sender{transaction};
    const std::int64_t number = sender.send(storable_text(text));
    sender.finish();
    return transaction.run(ask_for_names, subject.organisation_id, subject.report_id, number)[0][0].as<bool>();
}

std::vector<std::int64_t> reports_with_the_same_rounds(Transaction& transaction, const ErasureSubject& subject) {
    return numbers(transaction.run(select_reports_with_the_same_rounds, subject.organisation_id, subject.report_id));
}

Erasure preview_forget(Transaction& transaction, const ErasureSubject& subject) {
    return erase(transaction, subject, Mode::preview);
}

Erasure forget(Transaction& transaction, const ErasureSubject& subject, const ErasureReceipt& receipt) {
    Erasure erasure = erase(transaction, subject, Mode::erase);
    transaction.run(insert_receipt, kind_of(subject), subject.organisation_id, subject.report_id, receipt.reason,
                    receipt.erased_by, erasure.total());
    return erasure;
}

}  // namespace heiasync::history
