#pragma once

#include "core/instant.hpp"
#include "documents/original.hpp"
#include "documents/report.hpp"
#include "history/database.hpp"
#include "history/energy_levels.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace heiasync::history {

struct ReportSnapshot {
    std::int64_t sync_run_id = 0;
    std::int64_t organisation_id = 0;
    documents::Report report;       ///< as listed; ready()
    core::Instant listed_at{};      ///< when it was first listed as ready, as far as this run knows
    core::Instant downloaded_at{};  ///< when the last byte of the document arrived
};

/// Stores a version of a report: its row, its instances, results, JSON, bytes and source. Throws DecodeError, and
/// DatabaseError (refused) where this version is stored already.
StoredDocument store_report(Transaction& transaction, const ReportSnapshot& snapshot,
                            const documents::Original& original);

/// Derives again, from the bytes, what came from the document of a version: its rounds, results and their questions,
/// its JSON, title, description and time; what the listing said stays. As rebuild_energy_levels().
bool rebuild_report(Transaction& transaction, std::int64_t organisation_id, std::int64_t report_version_id);

/// As energy_levels_without_open_answers().
std::optional<documents::Original> report_without_open_answers(Transaction& transaction, std::int64_t organisation_id,
                                                               std::int64_t report_version_id);

/// Puts what was left of a document into its place, bytes, JSON and rounds.
void replace_report(Transaction& transaction, std::int64_t organisation_id, std::int64_t report_version_id,
                    const documents::Original& rest);

struct ReportVersion {
    std::int64_t organisation_id = 0;
    std::int64_t report_id = 0;
    core::Instant generated_at{};

    friend std::strong_ordering operator<=>(const ReportVersion&, const ReportVersion&) = default;
};

/// The versions stored of some organisations, sorted.
std::vector<ReportVersion> stored_report_versions(Transaction& transaction,
                                                  const std::vector<std::int64_t>& organisation_ids);

/// Notes which versions of an organisation's reports are listed as ready and not stored yet: the first time that a
/// version is seen its first_listed_at begins, which store_report uses.
void record_listed_reports(Transaction& transaction, std::int64_t sync_run_id, std::int64_t organisation_id,
                           const std::vector<documents::Report>& reports, core::Instant listed_at);

}  // namespace heiasync::history
