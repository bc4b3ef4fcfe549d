#include "history/gaps.hpp"

#include "history/transaction.hpp"

#include <set>
#include <utility>

namespace heiasync::history {
namespace {

constexpr Statement select_gaps{
    "read the gaps of a date",
    "SELECT stream, organisation_id, business_id, expected_on, period_start, period_end, report_id, state = 'open', "
    "       reason, last_error, (extract(epoch FROM last_attempt_at) * 1000000)::bigint, "
    "       (extract(epoch FROM generated_at) * 1000000)::bigint "
    "FROM heiasync.sync_gaps WHERE expected_on = $1 "
    "ORDER BY array_position('{organisations,usage_stats,energy_levels,reports}', stream), organisation_id, "
    "business_id, report_id, generated_at"};
constexpr Statement select_dates{"read the dates of the history", "SELECT heiasync.first_date(), heiasync.today()"};
// Energy levels of a period that nobody has been listed since are still to be expected.
constexpr Statement select_dates_to_count{
    "read which dates have gaps to count",
    "SELECT greatest(heiasync.first_date(), today - 400), "
    "       CASE WHEN EXISTS (SELECT FROM heiasync.sync_runs "
    "                         WHERE run_on = today AND limited_to IS NULL AND status <> 'running') "
    "            THEN today ELSE today - 1 END, "
    "       least(today - (heiasync.settings_at(heiasync.current_instant())).max_days_late::integer - 3, "
    "             (SELECT max(run_on) FROM heiasync.listings WHERE complete) - 2), "
    "       (SELECT concat_ws('/', count(*), count(lifted_at), max(erasure_id)) FROM heiasync.erasures) "
    "FROM (SELECT heiasync.today() AS today OFFSET 0) AS now "
    "WHERE today IS NOT NULL AND heiasync.first_date() IS NOT NULL"};
constexpr Statement count_by_date{
    "count the gaps",
    "SELECT day, stream, count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'final'), "
    "       bool_or(period_start IS NOT NULL OR report_id IS NOT NULL) "
    "FROM unnest($1::date[]) AS day CROSS JOIN LATERAL heiasync.gaps_on(day) GROUP BY day, stream"};
constexpr std::chrono::hours longest_trust{24};
constexpr Statement select_state{
    "ask how it stands with a date",
    "SELECT time_zone, (extract(epoch FROM heiasync.slot_of($1, daily_at, time_zone)) * 1000000)::bigint, "
    "       heiasync.ready($1), heiasync.complete($1) "
    "FROM heiasync.settings_on($1)"};

}  // namespace

std::vector<Gap> gaps(Transaction& transaction, core::Date date) {
    std::vector<Gap> gaps;
    for (const auto& row : transaction.run(select_gaps, date)) {
        Gap gap;
        gap.stream = stream_of(row[0].as<std::string>());
        gap.organisation_id = row[1].as<std::int64_t>();
        gap.business_id = row[2].as<std::string>();
        gap.expected_on = date_of(row[3]);
        gap.period_start = optional_date(row[4]);
        gap.period_end = optional_date(row[5]);
        gap.report_id = optional_value<std::int64_t>(row[6]);
        gap.is_open = row[7].as<bool>();
        gap.reason = row[8].as<std::string>();
        gap.last_error = optional_value<std::string>(row[9]);
        gap.last_attempt_at = optional_instant(row[10]);
        gap.generated_at = optional_instant(row[11]);
        gaps.push_back(std::move(gap));
    }
    return gaps;
}

std::optional<HistoryDates> history_dates(Transaction& transaction) {
    const auto row = transaction.run(select_dates)[0];
    const std::optional<core::Date> first = optional_date(row[0]);
    return first ? std::optional{HistoryDates{*first, optional_date(row[1]).value()}} : std::nullopt;
}

std::map<Stream, GapCount> GapCounter::count(Transaction& transaction) {
    Counts all;
    for (const Stream stream : all_streams) {
        all[stream] = {};
    }
    const auto rows = transaction.run(select_dates_to_count);
    if (rows.empty()) {
        return all;
    }
    const auto first = date_of(rows[0][0]);
    const auto last = date_of(rows[0][1]);
    const auto last_settled = optional_date(rows[0][2]);
    const auto now = std::chrono::steady_clock::now();
    const auto erasures = rows[0][3].as<std::string>();
    if (erasures != erasures_ || now - since_ > longest_trust) {
        settled_.clear();
        erasures_ = erasures;
        since_ = now;
    }

    std::map<core::Date, Counts> counted;
    std::vector<core::Date> dates;
    for (date::sys_days day{first}; day <= date::sys_days{last}; day += date::days{1}) {
        if (!settled_.contains(day)) {
            dates.emplace_back(day);
            counted[day];
        }
    }
    std::set<core::Date> may_change;
    const auto by_date =
        transaction.run(count_by_date, Value::array(dates, [](const core::Date& day) { return Value{day}; }));
    for (const auto& row : by_date) {
        const core::Date day = date_of(row[0]);
        counted[day][stream_of(row[1].as<std::string>())] = {row[2].as<std::int64_t>(), row[3].as<std::int64_t>()};
        if (row[4].as<bool>()) {
            may_change.insert(day);
        }
    }
    const auto add = [&all](const Counts& of_date) {
        for (const auto& [stream, count] : of_date) {
            all[stream].open += count.open;
            all[stream].final += count.final;
        }
    };
    for (auto& [day, counts] : counted) {
        add(counts);
    }
    for (const auto& [day, counts] : settled_) {
        if (day >= first && day <= last) {
            add(counts);
        }
    }
    for (auto& [day, counts] : counted) {
        if (last_settled && day <= *last_settled && !may_change.contains(day)) {
            settled_.emplace(day, std::move(counts));
        }
    }
    settled_.erase(settled_.begin(), settled_.lower_bound(first));
    return all;
}

DateState date_state(Transaction& transaction, core::Date date) {
    const auto row = transaction.run(select_state, date)[0];
    DateState state;
    state.time_zone = optional_value<std::string>(row[0]).value_or("");
    state.slot = optional_instant(row[1]);
    state.ready = optional_value<bool>(row[2]);
    state.complete = optional_value<bool>(row[3]);
    return state;
}

}  // namespace heiasync::history
