#pragma once

#include "simulator/world.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heiasync::simulator {

/// The vendor describes the answer of `stats` twice: the guide wraps the figures in `usage`, the OpenAPI document does
/// not.
enum class StatsShape { wrapped, bare };

/// Every function here writes one answer's JSON, as the vendor's documents describe it.

std::string error_document(std::string_view code, std::string_view description);
std::string token_document(std::string_view token, std::string_view scope, core::Instant created_at);
std::string organisations_document(std::span<const Organisation> page, std::optional<std::size_t> total);
std::string stats_document(const UsageStats& stats, StatsShape shape);
std::string reports_document(std::span<const Report> page, std::optional<std::size_t> total);

/// Results of "Test your energy levels" of one organisation, or of one of its business ids. Computed from the state of
/// `at`, as the vendor does: the same period asked for on another day has other figures. Empty where the world has no
/// such organisation or no user is mapped to the business id.
std::string energy_levels_document(const World& world, std::int64_t organisation_id, std::string_view business_id,
                                   DateRange period, core::Instant at);

/// The full data of one version of a report: the same whenever it is asked for.
std::string report_document(const World& world, const Report& report);

}  // namespace heiasync::simulator
