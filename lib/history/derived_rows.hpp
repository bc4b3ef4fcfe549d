#pragma once

// Internal to this room: rows that are derived from a document once more.

#include "history/transaction.hpp"

namespace heiasync::history {

/// A table whose rows come from documents, and a temporary one that takes those of one document beside it.
struct DerivedTable {
    const char* name;  ///< of the temporary table
    Statement make;
    Statement compare;
    Statement remove;
    Statement insert;
};

extern const DerivedTable derived_energy_level_results;  ///< by organisation and energy_level_id
extern const DerivedTable derived_report_results;        ///< by organisation and report_version_id
extern const DerivedTable derived_report_instances;      ///< by organisation and report_version_id
extern const DerivedTable derived_survey_questions;      ///< by question_set_id

/// The name of the temporary table, which is there from now on, and empty at the begin of each transaction.
const char* with_derived_table(Transaction& transaction, const DerivedTable& table);

/// Puts the rows of the temporary table, which are all that a document has, into the place of those that are stored.
/// Nothing is written where they are the same to the last bit. True where they were not. Once a transaction.
bool replace_rows(Transaction& transaction, const DerivedTable& table, const Row& key);

}  // namespace heiasync::history
