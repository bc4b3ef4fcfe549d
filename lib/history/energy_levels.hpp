#pragma once

#include "calendar/calendar.hpp"
#include "core/instant.hpp"
#include "documents/decode.hpp"
#include "documents/original.hpp"
#include "documents/survey_document.hpp"
#include "history/database.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::history {

struct EnergyLevelsSnapshot {
    std::int64_t sync_run_id = 0;
    std::int64_t organisation_id = 0;
    std::string business_id;  ///< '' for the whole organisation
    core::Date period_start{};
    core::Date period_end{};     ///< inclusive
    core::Instant fetched_at{};  ///< when the last byte of the answer arrived
    int days_late = 0;           ///< run_on minus the day after period_end
};

struct StoredDocument {
    std::int64_t id = 0;  ///< energy_level_id or report_version_id
    documents::DocumentStatus status = documents::DocumentStatus::stored;
    std::vector<documents::Drift> drift;
};

/// Stores the snapshot, its results, its JSON and its bytes. Throws DecodeError, and DatabaseError (refused) where this
/// organisation, business id and period are stored already.
StoredDocument store_energy_levels(Transaction& transaction, const EnergyLevelsSnapshot& snapshot,
                                   const documents::Original& original);

/// Derives again, from the bytes, what came from the document of a snapshot: its results and their questions, its JSON
/// and its minimum_answer_count. Only what is not so already is written; true where something was not. One document a
/// transaction. Throws DamagedOriginal, DecodeError and DatabaseError, and then nothing of the transaction may be
/// committed.
bool rebuild_energy_levels(Transaction& transaction, std::int64_t organisation_id, std::int64_t energy_level_id);

/// The document of a snapshot without what people wrote in their own words; unset where it has nothing of it. Throws
/// DamagedOriginal and DecodeError.
std::optional<documents::Original> energy_levels_without_open_answers(Transaction& transaction,
                                                                      std::int64_t organisation_id,
                                                                      std::int64_t energy_level_id);

/// Puts what was left of a document into its place, bytes and JSON.
void replace_energy_levels(Transaction& transaction, std::int64_t organisation_id, std::int64_t energy_level_id,
                           const documents::Original& rest);

/// Organisation, business id and reporting period: what is pulled once for ever.
struct EnergyLevelsCell {
    std::int64_t organisation_id = 0;
    std::string business_id;
    core::Date period_start{};

    friend std::strong_ordering operator<=>(const EnergyLevelsCell&, const EnergyLevelsCell&) = default;
};

/// Cells of these periods that need no request any more: stored, or skipped for good. A period of another length that
/// begins on the same day is another period.
std::vector<EnergyLevelsCell> settled_energy_levels(Transaction& transaction,
                                                    const std::vector<calendar::Period>& periods);

/// Cells of these periods that are stored.
std::vector<EnergyLevelsCell> stored_energy_levels(Transaction& transaction,
                                                   const std::vector<calendar::Period>& periods);

}  // namespace heiasync::history
