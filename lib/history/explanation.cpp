#include "history/explanation.hpp"

#include "history/transaction.hpp"

#include <map>
#include <set>
#include <utility>

namespace heiasync::history {
namespace {

constexpr Statement select_acquaintance{
    "look for an organisation",
    "SELECT EXISTS (SELECT FROM heiasync.organisation_versions WHERE organisation_id = $1), "
    "       (SELECT (extract(epoch FROM max(erased_at)) * 1000000)::bigint FROM heiasync.erasures "
    "        WHERE organisation_id = $1 AND what = 'organisation' AND lifted_at IS NULL)"};
constexpr Statement select_moment{
    "compare a date with now",
    "SELECT coalesce(slot > heiasync.current_instant(), false), "
    "       coalesce(slot > heiasync.current_instant() AND $1 > heiasync.today(), false) "
    "FROM (SELECT heiasync.slot_of($1, daily_at, time_zone) AS slot FROM heiasync.settings_on($1)) AS of_date"};
// How many cells, gaps and skips there are is not known when this is planned: pairs of them would be looked at one by
// one, and what is done in no time would be compiled first.
constexpr const char* plan_for_many =
    "SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off";
constexpr Statement select_cells{
    "read what is expected of a date",
    "WITH cell AS MATERIALIZED ("
    "  SELECT * FROM heiasync.expected_on($1) WHERE $2::bigint IS NULL OR organisation_id IN (0, $2)"
    "), skip AS ("
    "  SELECT stream, organisation_id, business_id, period_start, reason, sync_task_id FROM heiasync.sync_tasks "
    "  WHERE run_on = $1 AND stream = 'usage_stats' AND status = 'skipped' "
    "  UNION ALL "
    "  SELECT stream, organisation_id, business_id, period_start, reason, sync_task_id FROM heiasync.sync_tasks "
    "  WHERE stream = 'energy_levels' AND status = 'skipped' "
    "    AND period_start IN (SELECT period_start FROM heiasync.reporting_periods($1::date - 1, $1::date - 1))"
    "), skipped AS MATERIALIZED ("
    "  SELECT stream, organisation_id, business_id, period_start, "
    "         (array_agg(reason ORDER BY sync_task_id DESC))[1] AS reason "
    "  FROM skip GROUP BY stream, organisation_id, business_id, period_start"
    ") "
    "SELECT cell.stream, cell.organisation_id, cell.business_id, cell.period_start, cell.period_end, cell.report_id, "
    "       (extract(epoch FROM cell.generated_at) * 1000000)::bigint, gap.state = 'open', gap.reason, gap.last_error, "
    "       CASE "
    "         WHEN cell.stream = 'organisations' THEN EXISTS ("
    "           SELECT FROM heiasync.listings WHERE run_on = $1 AND complete AND NOT held_back) "
    "         WHEN cell.stream = 'usage_stats' THEN (cell.organisation_id, cell.business_id) IN ("
    "           SELECT organisation_id, business_id FROM heiasync.usage_stats WHERE observed_on = $1) "
    "         WHEN cell.stream = 'energy_levels' THEN EXISTS ("
    "           SELECT FROM heiasync.energy_levels AS stored "
    "           WHERE stored.organisation_id = cell.organisation_id AND stored.business_id = cell.business_id "
    "             AND stored.period_start = cell.period_start AND stored.period_end = cell.period_end) "
    "         WHEN cell.report_id IS NULL THEN cell.organisation_id IN ("
    "           SELECT organisation_id FROM heiasync.sync_tasks "
    "           WHERE run_on = $1 AND stream = 'reports' AND report_id IS NULL AND status = 'done') "
    "         ELSE EXISTS ("
    "           SELECT FROM heiasync.report_versions AS stored "
    "           WHERE stored.organisation_id = cell.organisation_id AND stored.report_id = cell.report_id "
    "             AND stored.generated_at = cell.generated_at) "
    "       END, "
    "       skipped.organisation_id IS NOT NULL, skipped.reason "
    "FROM cell "
    "LEFT JOIN heiasync.gaps_on($1) AS gap "
    "  ON (gap.stream, gap.organisation_id, gap.business_id) = (cell.stream, cell.organisation_id, cell.business_id) "
    "  AND gap.period_start IS NOT DISTINCT FROM cell.period_start "
    "  AND gap.report_id IS NOT DISTINCT FROM cell.report_id "
    "  AND gap.generated_at IS NOT DISTINCT FROM cell.generated_at "
    "LEFT JOIN skipped "
    "  ON (skipped.stream, skipped.organisation_id, skipped.business_id) "
    "   = (cell.stream, cell.organisation_id, cell.business_id) "
    "  AND skipped.period_start IS NOT DISTINCT FROM cell.period_start "
    "ORDER BY array_position('{organisations,usage_stats,energy_levels,reports}', cell.stream), cell.organisation_id, "
    "cell.business_id, cell.report_id, cell.generated_at"};
constexpr Statement ask_whether_erased{"ask whether something was erased",
                                       "SELECT EXISTS (SELECT FROM heiasync.erasures "
                                       "WHERE organisation_id = $1 AND (what = 'organisation' OR what = 'report' AND "
                                       "report_id = $2) AND erased_at >= $3)"};
constexpr Statement select_period_end{
    "read the end of a period", "SELECT period_end FROM heiasync.reporting_periods($1, $1) WHERE period_start = $1"};
constexpr Statement select_attempts{
    "read what was done on a date",
    "SELECT organisation_id, business_id, stream, period_start, report_id, sync_run_id, status, reason, http_status, "
    "       error, (extract(epoch FROM finished_at) * 1000000)::bigint "
    "FROM heiasync.sync_tasks WHERE run_on = $1 AND ($2::bigint IS NULL OR organisation_id IN (0, $2)) "
    "ORDER BY sync_task_id"};
constexpr Statement select_later_attempts{
    "read what was done later",
    "SELECT organisation_id, business_id, stream, period_start, report_id, sync_run_id, status, reason, http_status, "
    "       error, (extract(epoch FROM finished_at) * 1000000)::bigint "
    "FROM heiasync.sync_tasks WHERE organisation_id = $2 AND run_on > $1 "
    "  AND (period_start IS NOT NULL OR report_id IS NOT NULL) "
    "ORDER BY sync_task_id"};

struct Trail {
    TaskKey key;
    std::vector<Attempt> attempts;  ///< oldest first
};
/// By place.
using Trails = std::map<TaskKey, Trail>;

/// What a cell and the attempts at it have in common. A report is of one business id, which some of its rows lack.
TaskKey place_of(const TaskKey& key) {
    TaskKey place = key;
    if (place.report_id) {
        place.business_id.clear();
    }
    return place;
}

Trails trails_of(const pqxx::result& rows) {
    Trails trails;
    for (const auto& row : rows) {
        TaskKey key;
        key.organisation_id = row[0].as<std::int64_t>();
        key.business_id = row[1].as<std::string>();
        key.stream = stream_of(row[2].as<std::string>());
        key.period_start = optional_date(row[3]);
        key.report_id = optional_value<std::int64_t>(row[4]);
        Attempt attempt;
        attempt.sync_run_id = row[5].as<std::int64_t>();
        attempt.status = task_status_of(row[6].as<std::string>());
        attempt.reason = optional_value<std::string>(row[7]);
        attempt.http_status = optional_value<int>(row[8]);
        attempt.error = optional_value<std::string>(row[9]);
        attempt.finished_at = instant_of(row[10]);
        Trail& trail = trails[place_of(key)];
        trail.key = std::move(key);
        trail.attempts.push_back(std::move(attempt));
    }
    return trails;
}

void add_attempts(Cell& cell, const Trails& trails) {
    if (const auto found = trails.find(place_of(cell)); found != trails.end()) {
        cell.attempts.insert(cell.attempts.end(), found->second.attempts.begin(), found->second.attempts.end());
    }
}

Cell expected_cell(const pqxx::row& row, bool is_before_slot) {
    Cell cell;
    cell.stream = stream_of(row[0].as<std::string>());
    cell.organisation_id = row[1].as<std::int64_t>();
    cell.business_id = row[2].as<std::string>();
    cell.period_start = optional_date(row[3]);
    cell.period_end = optional_date(row[4]);
    cell.report_id = optional_value<std::int64_t>(row[5]);
    cell.generated_at = optional_instant(row[6]);
    cell.is_open = optional_value<bool>(row[7]);
    const bool is_stored = row[10].as<bool>();
    const bool is_skipped = row[11].as<bool>();
    if (cell.is_open) {
        cell.outcome = Outcome::missing;
        cell.reason = optional_value<std::string>(row[8]);
        cell.last_error = optional_value<std::string>(row[9]);
    } else if (is_stored) {
        cell.outcome = Outcome::stored;
    } else if (is_skipped) {
        cell.outcome = Outcome::skipped;
        cell.reason = optional_value<std::string>(row[12]);
    } else if (is_before_slot) {
        cell.outcome = Outcome::not_due;
    } else {
        cell.outcome = Outcome::missing;
    }
    return cell;
}

Cell unexpected_cell(Transaction& transaction, const Trail& trail) {
    Cell cell;
    static_cast<TaskKey&>(cell) = trail.key;
    const auto erased =
        transaction.run(ask_whether_erased, cell.organisation_id, cell.report_id, trail.attempts.back().finished_at);
    cell.outcome = erased[0][0].as<bool>() ? Outcome::erased : Outcome::not_expected;
    cell.reason = trail.attempts.back().reason;
    cell.last_error = trail.attempts.back().error;
    if (cell.period_start) {
        const auto rows = transaction.run(select_period_end, *cell.period_start);
        cell.period_end = rows.empty() ? std::nullopt : optional_date(rows[0][0]);
    }
    return cell;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::stored:
            return "stored";
        case Outcome::skipped:
            return "skipped";
        case Outcome::missing:
            return "missing";
        case Outcome::not_due:
            return "not_due";
        case Outcome::not_expected:
            return "not_expected";
        case Outcome::erased:
            break;
    }
    return "erased";
}

Explanation explain(Transaction& transaction, core::Date date, std::optional<std::int64_t> organisation_id) {
    const auto moment = transaction.run(select_moment, date)[0];
    const bool is_before_slot = moment[0].as<bool>();
    Explanation explanation;
    explanation.is_to_come = moment[1].as<bool>();
    if (explanation.is_to_come) {
        return explanation;
    }
    transaction.execute("choose how to read cells", plan_for_many);
    const Trails trails = trails_of(transaction.run(select_attempts, date, organisation_id));
    const Trails later =
        organisation_id ? trails_of(transaction.run(select_later_attempts, date, *organisation_id)) : Trails{};
    std::set<TaskKey> expected;
    for (const auto& row : transaction.run(select_cells, date, organisation_id)) {
        explanation.cells.push_back(expected_cell(row, is_before_slot));
        expected.insert(place_of(explanation.cells.back()));
    }
    for (const auto& [place, trail] : trails) {
        if (!expected.contains(place)) {
            explanation.cells.push_back(unexpected_cell(transaction, trail));
        }
    }
    for (Cell& cell : explanation.cells) {
        add_attempts(cell, trails);
        add_attempts(cell, later);
    }
    return explanation;
}

Acquaintance acquaintance(Transaction& transaction, std::int64_t organisation_id) {
    const auto row = transaction.run(select_acquaintance, organisation_id)[0];
    return {row[0].as<bool>(), optional_instant(row[1])};
}

}  // namespace heiasync::history
