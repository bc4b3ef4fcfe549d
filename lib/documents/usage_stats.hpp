#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace heiasync::documents {

/// The live figures of an organisation, or of one of its business ids, at the moment of the call. A figure that was
/// null or absent has no value; that is not a zero.
struct UsageStats {
    std::optional<std::int64_t> total_membership_count;
    std::optional<std::int64_t> hh_core_total_membership_count;
    std::optional<std::int64_t> hh_core_accepted_membership_count;
    std::optional<std::int64_t> app_use_count;          ///< cumulative since 2018-03-14
    std::optional<std::int64_t> app_monthly_use_count;  ///< a rolling month
    std::string extra = "{}";                           ///< members that we do not know, as a storable JSON object

    friend bool operator==(const UsageStats&, const UsageStats&) = default;
};

}  // namespace heiasync::documents
