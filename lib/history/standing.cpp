#include "history/standing.hpp"

#include "history/status.hpp"
#include "history/transaction.hpp"

#include <algorithm>

namespace heiasync::history {
namespace {

constexpr int shown_runs = 10;

constexpr Statement ask_for_missing_period{
    "look for energy levels that are due",
    "WITH due AS (SELECT * FROM unnest($1::date[], $2::date[]) AS due (period_start, period_end)) "
    "SELECT EXISTS (SELECT organisation_id, business_id, period_start "
    "  FROM heiasync.organisations CROSS JOIN due "
    "  CROSS JOIN LATERAL unnest(ARRAY['']::text[] || CASE WHEN $3::boolean AND multi_business_id THEN business_ids "
    "END) "
    "    AS subject (business_id) "
    "  WHERE removed_at IS NULL "
    "  EXCEPT "
    "  SELECT organisation_id, business_id, period_start "
    "  FROM heiasync.energy_levels JOIN due USING (period_start, period_end) "
    "  EXCEPT "
    "  SELECT organisation_id, business_id, period_start FROM heiasync.sync_tasks JOIN due USING (period_start) "
    "  WHERE stream = 'energy_levels' AND status = 'skipped')"};
constexpr Statement select_figures{
    "read how things stand",
    "SELECT (SELECT count(*) FROM heiasync.organisations WHERE removed_at IS NULL), "
    "       coalesce((SELECT substring(reason FROM '^listing_shrank: ([0-9]+) of')::bigint FROM heiasync.sync_tasks "
    "                 WHERE organisation_id = 0 ORDER BY sync_task_id DESC LIMIT 1), 0), "
    "       (SELECT max(version) FROM heiasync.schema_migrations)"};

template <class Member>
Value dates(const std::vector<calendar::Period>& periods, Member member) {
    return Value::array(periods, [member](const calendar::Period& period) { return Value{period.*member}; });
}

}  // namespace

Standing standing(Transaction& transaction, const Expectation& expected, core::Instant now, GapCounter& gaps) {
    Standing standing;
    standing.last_successes = last_successes(transaction);
    standing.last_runs = last_runs(transaction, shown_runs);
    standing.gaps = gaps.count(transaction);
    standing.period_missing =
        transaction
            .run(ask_for_missing_period, dates(expected.due, &calendar::Period::start),
                 dates(expected.due, &calendar::Period::end), expected.energy_levels_per_business_id)[0][0]
            .as<bool>();
    const auto figures = transaction.run(select_figures);
    standing.organisations = figures[0][0].as<std::int64_t>();
    standing.held_back = figures[0][1].as<std::int64_t>();
    standing.schema_version = figures[0][2].as<int>();
    standing.clock_difference = clock_difference(transaction, now);
    return standing;
}

}  // namespace heiasync::history
