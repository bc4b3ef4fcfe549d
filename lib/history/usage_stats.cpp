#include "history/usage_stats.hpp"

#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

constexpr Statement insert_observation{
    "store usage statistics",
    "INSERT INTO heiasync.usage_stats (organisation_id, business_id, observed_at, observed_on, total_membership_count, "
    "hh_core_total_membership_count, hh_core_accepted_membership_count, app_use_count, app_monthly_use_count, extra, "
    "sync_run_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Statement select_accepted{
    "read accepted members",
    "SELECT DISTINCT ON (organisation_id, business_id) organisation_id, business_id, hh_core_accepted_membership_count "
    "FROM heiasync.usage_stats WHERE observed_on = $1 "
    "ORDER BY organisation_id, business_id, observed_at DESC, sync_run_id DESC"};

}  // namespace

void store_usage_stats(Transaction& transaction, const UsageStatsObservation& observation) {
    const documents::UsageStats& stats = observation.stats;
    transaction.run(insert_observation, observation.organisation_id, observation.business_id, observation.observed_at,
                    observation.observed_on, stats.total_membership_count, stats.hh_core_total_membership_count,
                    stats.hh_core_accepted_membership_count, stats.app_use_count, stats.app_monthly_use_count,
                    stats.extra, observation.sync_run_id);
}

std::vector<AcceptedMembers> accepted_members(Transaction& transaction, core::Date observed_on) {
    std::vector<AcceptedMembers> result;
    for (const auto& row : transaction.run(select_accepted, observed_on)) {
        AcceptedMembers members;
        members.organisation_id = row[0].as<std::int64_t>();
        members.business_id = row[1].as<std::string>();
        if (!row[2].is_null()) {
            members.accepted = row[2].as<std::int64_t>();
        }
        result.push_back(std::move(members));
    }
    return result;
}

}  // namespace heiasync::history
