#include "history/explanation.hpp"

#include "history/transaction.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace heiasync::history {
namespace {

constexpr Statement select_cells{
    "read what is expected of a date",
    "WITH skipped AS (SELECT organisation_id, business_id, period_start, max(reason) AS reason "
    "  FROM heiasync.sync_tasks WHERE stream = 'energy_levels' AND status = 'skipped' "
    "    AND period_start IN (SELECT period_start FROM heiasync.reporting_periods($1::date - 1, $1::date - 1)) "
    "  GROUP BY organisation_id, business_id, period_start) "
    "SELECT cell.stream, cell.organisation_id, cell.business_id, cell.period_start, cell.period_end, cell.report_id, "
    "       (extract(epoch FROM cell.generated_at) * 1000000)::bigint, gap.state IS NOT NULL, "
    "       coalesce(gap.state = 'open', false), coalesce(gap.reason, skipped.reason), gap.last_error "
    "FROM heiasync.expected_on($1) AS cell "
    "LEFT JOIN heiasync.gaps_on($1) AS gap "
    "  ON (gap.stream, gap.organisation_id, gap.business_id) = (cell.stream, cell.organisation_id, cell.business_id) "
    "  AND gap.period_start IS NOT DISTINCT FROM cell.period_start "
    "  AND gap.report_id IS NOT DISTINCT FROM cell.report_id "
    "  AND gap.generated_at IS NOT DISTINCT FROM cell.generated_at "
    "LEFT JOIN skipped "
    "  ON (skipped.organisation_id, skipped.business_id, skipped.period_start) "
    "   = (cell.organisation_id, cell.business_id, cell.period_start) "
    "WHERE $2::bigint IS NULL OR cell.organisation_id IN (0, $2) "
    "ORDER BY array_position('{organisations,usage_stats,energy_levels,reports}', cell.stream), cell.organisation_id, "
    "cell.business_id, cell.report_id, cell.generated_at"};
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

void add_attempts(const pqxx::result& rows, std::map<TaskKey, std::vector<Attempt>>& attempts) {
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
        attempts[key].push_back(std::move(attempt));
    }
}

void settle(Cell& cell) {
    if (cell.outcome == Outcome::missing) {
        return;
    }
    const auto settling =
        std::ranges::find_if(cell.attempts.rbegin(), cell.attempts.rend(),
                             [](const Attempt& attempt) { return attempt.status != TaskStatus::failed; });
    if (settling != cell.attempts.rend()) {
        cell.reason = settling->status == TaskStatus::skipped ? settling->reason : std::nullopt;
    }
    cell.outcome = cell.reason ? Outcome::skipped : Outcome::stored;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::stored:
            return "stored";
        case Outcome::skipped:
            return "skipped";
        case Outcome::missing:
            break;
    }
    return "missing";
}

std::vector<Cell> explain(Transaction& transaction, core::Date date, std::optional<std::int64_t> organisation_id) {
    std::map<TaskKey, std::vector<Attempt>> attempts;
    add_attempts(transaction.run(select_attempts, date, organisation_id), attempts);
    if (organisation_id) {
        add_attempts(transaction.run(select_later_attempts, date, *organisation_id), attempts);
    }
    std::vector<Cell> cells;
    for (const auto& row : transaction.run(select_cells, date, organisation_id)) {
        Cell cell;
        cell.stream = stream_of(row[0].as<std::string>());
        cell.organisation_id = row[1].as<std::int64_t>();
        cell.business_id = row[2].as<std::string>();
        cell.period_start = optional_date(row[3]);
        cell.period_end = optional_date(row[4]);
        cell.report_id = optional_value<std::int64_t>(row[5]);
        cell.generated_at = optional_instant(row[6]);
        cell.outcome = row[7].as<bool>() ? Outcome::missing : Outcome::stored;
        cell.is_open = row[8].as<bool>();
        cell.reason = optional_value<std::string>(row[9]);
        cell.last_error = optional_value<std::string>(row[10]);
        if (const auto found = attempts.find(cell); found != attempts.end()) {
            cell.attempts = found->second;
        }
        settle(cell);
        cells.push_back(std::move(cell));
    }
    return cells;
}

}  // namespace heiasync::history
