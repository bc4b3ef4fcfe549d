#pragma once

#include "core/instant.hpp"
#include "documents/usage_stats.hpp"
#include "history/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::history {

struct UsageStatsObservation {
    std::int64_t sync_run_id = 0;
    std::int64_t organisation_id = 0;
    std::string business_id;      ///< '' for the whole organisation
    core::Instant observed_at{};  ///< when the last byte of the answer arrived
    core::Date observed_on{};     ///< the run's date
    documents::UsageStats stats;
};

void store_usage_stats(Transaction& transaction, const UsageStatsObservation& observation);

struct AcceptedMembers {
    std::int64_t organisation_id = 0;
    std::string business_id;
    std::optional<std::int64_t> accepted;  ///< hh_core_accepted_membership_count of the day's newest observation
};

/// The newest observation of each organisation and business id with this observed_on, by organisation and business id.
std::vector<AcceptedMembers> accepted_members(Transaction& transaction, core::Date observed_on);

}  // namespace heiasync::history
