#pragma once

#include "simulator/simulator.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// `2026-07-01T04:35:00+03:00`: five minutes after the slot of a date, in Finland's summer.
std::string after_slot(std::string_view summer_date);

/// The same as an instant.
core::Instant instant_after_slot(std::string_view summer_date);

/// As PostgreSQL writes it where the session's zone is UTC: `2026-07-01 01:35:00+00`.
std::string as_stored(core::Instant instant);

/// An organisation, or one of its business ids, as `ID|` or `ID|BUSINESS_ID`.
std::string subject(std::int64_t organisation_id, std::string_view business_id = {});

/// What a sync at one instant is to find, computed from the simulated world. Sets are of lines with `|` between the
/// columns, as Installation::lines() has them; NULL is `NULL`.
class Truth {
public:
    Truth(const simulator::World& world, core::Instant at) : world_{world}, at_{at} {}

    /// Those that are listed, of the size classes asked for by default (50 and 10000).
    [[nodiscard]] std::vector<simulator::Organisation> organisations() const;
    [[nodiscard]] std::set<std::string> organisation_ids() const;

    /// Every organisation and every business id of it that users are mapped to.
    [[nodiscard]] std::set<std::string> mapped_subjects() const;
    [[nodiscard]] std::set<std::string> unmapped_subjects() const;

    /// `ID|BUSINESS_ID|` and the five figures, of every mapped subject.
    [[nodiscard]] std::set<std::string> usage_stats() const;

    /// Subjects with that many accepted members or more, and mapped ones with fewer. Those whose count is unknown are
    /// in neither.
    [[nodiscard]] std::set<std::string> at_least(std::int64_t accepted_members) const;
    [[nodiscard]] std::set<std::string> below(std::int64_t accepted_members) const;
    [[nodiscard]] std::set<std::string> unknown_count() const;
    [[nodiscard]] std::optional<std::int64_t> accepted_members(std::int64_t organisation_id,
                                                               std::string_view business_id) const;

    /// Versions that the listings of that instant show as viewed, most recently generated first.
    [[nodiscard]] std::vector<simulator::Report> viewed_reports() const;
    [[nodiscard]] std::vector<simulator::Report> viewed_reports(std::int64_t organisation_id) const;
    /// `ID|REPORT_ID|GENERATED_AT` of each.
    [[nodiscard]] std::set<std::string> report_versions() const;

private:
    const simulator::World& world_;
    core::Instant at_;
};

std::string version_line(const simulator::Report& report);

/// What is on one side and not on the other; empty where the sets are equal.
std::string difference(const std::set<std::string>& expected, const std::set<std::string>& actual);

}  // namespace heiasync::testing
