#pragma once

#include "core/instant.hpp"
#include "documents/survey_document.hpp"
#include "history/database.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace heiasync::history {

/// A stored document: the energy_level_id or report_version_id of an organisation.
struct DocumentKey {
    std::int64_t organisation_id = 0;
    std::int64_t id = 0;

    friend bool operator==(const DocumentKey&, const DocumentKey&) = default;
};

/// Comes before every document.
inline constexpr DocumentKey before_every_document{std::numeric_limits<std::int64_t>::min(),
                                                   std::numeric_limits<std::int64_t>::min()};

/// Which stored documents to derive again.
struct DocumentSelection {
    documents::SurveyDocumentKind kind = documents::SurveyDocumentKind::energy_levels;
    std::optional<core::Instant> since;  ///< those that arrived from then on; unset: all
};

/// Throws DatabaseError of kind `schema`, with a sentence that says what to do, where the role may not replace what was
/// derived.
void require_right_to_rebuild(Transaction& transaction);

std::int64_t count_documents(Transaction& transaction, const DocumentSelection& selection);

/// The next of them, in the order of their keys.
std::vector<DocumentKey> documents_after(Transaction& transaction, const DocumentSelection& selection,
                                         const DocumentKey& last, int at_most);

/// rebuild_energy_levels() or rebuild_report().
bool rebuild_document(Transaction& transaction, documents::SurveyDocumentKind kind, const DocumentKey& document);

/// Erases the sets of questions that no document has any more, because another decoder read others in it.
void erase_unused_questions(Transaction& transaction);

}  // namespace heiasync::history
