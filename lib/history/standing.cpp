#include "history/standing.hpp"

#include "history/status.hpp"
#include "history/transaction.hpp"

#include <algorithm>

namespace heiasync::history {
namespace {

/// Of dates that are over, what failed and was not mended.
constexpr Statement count_lost{
    "count what was lost with its date",
    "WITH failed AS MATERIALIZED ("
    "  SELECT DISTINCT run_on, organisation_id, business_id, stream FROM heiasync.sync_tasks "
    "  WHERE status = 'failed' AND stream IN ('organisations', 'usage_stats') "
    "    AND run_on >= $1::date - 400 AND run_on < $1::date) "
    "SELECT stream, count(*) FROM failed WHERE NOT EXISTS ("
    "  SELECT FROM heiasync.sync_tasks AS mended "
    "  WHERE mended.organisation_id = failed.organisation_id AND mended.run_on = failed.run_on "
    "    AND mended.business_id = failed.business_id AND mended.stream = failed.stream AND mended.status <> 'failed') "
    "GROUP BY stream"};
// Today counts once one of its runs has ended, and not before: a slot that waits for its run is no gap. A date without
// a task of an organisation was not asked for it.
constexpr Statement count_unasked{
    "count what was never asked",
    "WITH unended AS MATERIALIZED ("
    "  SELECT day::date AS run_on "
    "  FROM generate_series(greatest($1::date - 400, coalesce((SELECT min(run_on) FROM heiasync.sync_runs), "
    "                                                         $1::date + 1)), $1::date, interval '1 day') AS day "
    "  WHERE NOT EXISTS ("
    "      SELECT FROM heiasync.sync_runs WHERE run_on = day::date AND limited_to IS NULL "
    "      AND (status = 'running' OR status IN ('succeeded', 'partial') AND error IS NULL)) "
    "    AND (day::date < $2::date OR EXISTS ("
    "      SELECT FROM heiasync.sync_runs WHERE run_on = day::date AND limited_to IS NULL))"
    "), asked AS MATERIALIZED ("
    "  SELECT DISTINCT run_on, stream, organisation_id FROM heiasync.sync_tasks "
    "  WHERE sync_run_id = ANY (ARRAY(SELECT sync_run_id FROM heiasync.sync_runs JOIN unended USING (run_on))) "
    "    AND business_id = '' AND report_id IS NULL AND stream <> 'energy_levels'"
    "), expected AS ("
    "  SELECT run_on, 'organisations' AS stream, 0::bigint AS organisation_id FROM unended "
    "  UNION ALL "
    "  SELECT run_on, stream, organisation_id FROM unended CROSS JOIN LATERAL ("
    "    SELECT organisation_ids FROM heiasync.listings "
    "    WHERE run_on <= unended.run_on AND complete AND NOT held_back ORDER BY listing_id DESC LIMIT 1) AS listing "
    "  CROSS JOIN LATERAL unnest(organisation_ids) AS listed (organisation_id) "
    "  CROSS JOIN unnest('{usage_stats,reports}'::text[]) AS streams (stream)) "
    "SELECT stream, run_on = $1::date, count(*) "
    "FROM (SELECT * FROM expected EXCEPT SELECT run_on, stream, organisation_id FROM asked) AS unasked "
    "GROUP BY 1, 2"};
constexpr Statement count_lost_energy_levels{
    "count which energy levels were lost with their period",
    "WITH past AS (SELECT * FROM unnest($1::date[], $2::date[]) AS past (period_start, period_end)), expected AS ("
    "  SELECT organisation_id, '' AS business_id, period_start FROM past CROSS JOIN LATERAL ("
    "    SELECT organisation_ids FROM heiasync.listings "
    "    WHERE run_on <= past.period_end + 1 AND complete AND NOT held_back ORDER BY listing_id DESC LIMIT 1) AS "
    "listing "
    "  CROSS JOIN LATERAL unnest(organisation_ids) AS listed (organisation_id) "
    "  WHERE period_end >= (SELECT min(run_on) FROM heiasync.sync_runs) "
    "  UNION "
    "  SELECT organisation_id, business_id, period_start FROM heiasync.sync_tasks JOIN past USING (period_start) "
    "  WHERE stream = 'energy_levels' AND status = 'failed'"
    "), settled AS ("
    "  SELECT organisation_id, business_id, period_start "
    "  FROM heiasync.energy_levels JOIN past USING (period_start, period_end) "
    "  UNION "
    "  SELECT organisation_id, business_id, period_start FROM heiasync.sync_tasks JOIN past USING (period_start) "
    "  WHERE stream = 'energy_levels' AND status = 'skipped') "
    "SELECT count(*) FROM (SELECT * FROM expected EXCEPT SELECT * FROM settled) AS lost"};
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

void add_open_failures(Transaction& transaction, const Expectation& expected, std::map<Stream, Gaps>& gaps) {
    const bool is_today = expected.last_due.date == expected.today;
    for (const OpenFailure& failure : open_failures(transaction, expected.last_due.date)) {
        const bool is_due =
            std::ranges::any_of(expected.due, [&](const auto& due) { return due.start == failure.period_start; });
        if (failure.stream == Stream::reports || is_due || (is_today && !failure.period_start)) {
            ++gaps[failure.stream].open;
        }
    }
}

std::map<Stream, Gaps> count_gaps(Transaction& transaction, const Expectation& expected) {
    std::map<Stream, Gaps> gaps;
    for (const Stream stream : all_streams) {
        gaps[stream] = {};
    }
    add_open_failures(transaction, expected, gaps);
    for (const auto& row : transaction.run(count_lost, expected.today)) {
        gaps[stream_of(row[0].as<std::string>())].final += row[1].as<std::int64_t>();
    }
    for (const auto& row : transaction.run(count_unasked, expected.last_due.date, expected.today)) {
        const Stream stream = stream_of(row[0].as<std::string>());
        const bool is_last = row[1].as<bool>();
        const bool can_be_had = is_last && (stream == Stream::reports || expected.last_due.date == expected.today);
        if (can_be_had) {
            gaps[stream].open += row[2].as<std::int64_t>();
        } else if (stream != Stream::reports) {
            gaps[stream].final += row[2].as<std::int64_t>();
        }
    }
    gaps[Stream::energy_levels].final =
        transaction
            .run(count_lost_energy_levels, dates(expected.past, &calendar::Period::start),
                 dates(expected.past, &calendar::Period::end))[0][0]
            .as<std::int64_t>();
    return gaps;
}

}  // namespace

Standing standing(Transaction& transaction, const Expectation& expected, core::Instant now) {
    Standing standing;
    standing.last_successes = last_successes(transaction);
    standing.gaps = count_gaps(transaction, expected);
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
