#include "history/usage_stats.hpp"

#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

constexpr RowsStatement insert_observations{
    {"store usage statistics",
     "INSERT INTO heiasync.usage_stats (organisation_id, business_id, observed_at, observed_on, "
     "total_membership_count, "
     "hh_core_total_membership_count, hh_core_accepted_membership_count, app_use_count, app_monthly_use_count, extra, "
     "sync_run_id) SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::date[], $5::bigint[], "
     "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::jsonb[], $11::bigint[])"}};
constexpr Statement select_accepted{
    "read accepted members",
    "SELECT DISTINCT ON (organisation_id, business_id) organisation_id, business_id, hh_core_accepted_membership_count "
    "FROM heiasync.usage_stats WHERE observed_on = $1 "
    "ORDER BY organisation_id, business_id, observed_at DESC, sync_run_id DESC"};

}  // namespace

void store_usage_stats(Transaction& transaction, const UsageStatsObservation& observation) {
    const documents::UsageStats& stats = observation.stats;
    transaction.add_row(insert_observations, observation.organisation_id, observation.business_id,
                        observation.observed_at, observation.observed_on, stats.total_membership_count,
                        stats.hh_core_total_membership_count, stats.hh_core_accepted_membership_count,
                        stats.app_use_count, stats.app_monthly_use_count, stats.extra, observation.sync_run_id);
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
