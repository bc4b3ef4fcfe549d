#include "history/derived_rows.hpp"

namespace heiasync::history {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
// Of a row that only one of the two has, nothing is known of the other: that is different, too.
#define DERIVED_TABLE(rows, table, condition, keys)                                                           \
    {                                                                                                         \
        "pg_temp.derived_" table,                                                                             \
            {"make room for " rows,                                                                           \
             "CREATE TEMPORARY TABLE derived_" table " (LIKE heiasync." table ") ON COMMIT DELETE ROWS"},     \
            {"compare " rows, "SELECT EXISTS (SELECT FROM (SELECT * FROM heiasync." table " WHERE " condition \
                              ") AS stored FULL JOIN pg_temp.derived_" table " AS derived USING (" keys       \
                              ") WHERE record_image_ne(stored, derived) IS NOT FALSE)"},                      \
            {"remove " rows, "DELETE FROM heiasync." table " WHERE " condition},                              \
            {"put back " rows, "INSERT INTO heiasync." table " SELECT * FROM pg_temp.derived_" table},        \
    }
#define OF_ENERGY_LEVELS "organisation_id = $1 AND energy_level_id = $2"
#define OF_REPORT "organisation_id = $1 AND report_version_id = $2"
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr DerivedTable derived_energy_level_results =
    DERIVED_TABLE("the results of energy levels", "energy_level_results", OF_ENERGY_LEVELS,
                  "organisation_id, energy_level_id, scope, team_id");
constexpr DerivedTable derived_report_results =
    DERIVED_TABLE("the results of a report", "report_results", OF_REPORT,
                  "organisation_id, report_version_id, ordinal, scope, team_id, tag_id");
constexpr DerivedTable derived_report_instances = DERIVED_TABLE("the rounds of a report", "report_instances", OF_REPORT,
                                                                "organisation_id, report_version_id, ordinal");
constexpr DerivedTable derived_survey_questions = DERIVED_TABLE(
    "the questions of a set", "survey_questions", "question_set_id = $1", "question_set_id, question_ordinal");

const char* with_derived_table(Transaction& transaction, const DerivedTable& table) {
    transaction.execute_once(table.make.purpose, table.make.sql);
    return table.name;
}

bool replace_rows(Transaction& transaction, const DerivedTable& table, const Row& key) {
    if (!transaction.run(table.compare, key)[0][0].as<bool>()) {
        return false;
    }
    transaction.run(table.remove, key);
    transaction.run(table.insert);
    return true;
}

}  // namespace heiasync::history
