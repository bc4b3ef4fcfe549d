#include "history/gaps.hpp"

#include "history/transaction.hpp"

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
constexpr Statement count_by_stream{
    "count the gaps",
    "SELECT stream, count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'final') "
    "FROM (SELECT heiasync.today() AS today OFFSET 0) AS now JOIN heiasync.sync_gaps "
    "  ON expected_on BETWEEN today - 400 AND today "
    "WHERE expected_on < today OR EXISTS (SELECT FROM heiasync.sync_runs "
    "                                     WHERE run_on = today AND limited_to IS NULL AND status <> 'running') "
    "GROUP BY stream"};
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

std::map<Stream, GapCount> count_gaps(Transaction& transaction) {
    std::map<Stream, GapCount> counts;
    for (const Stream stream : all_streams) {
        counts[stream] = {};
    }
    for (const auto& row : transaction.run(count_by_stream)) {
        counts[stream_of(row[0].as<std::string>())] = {row[1].as<std::int64_t>(), row[2].as<std::int64_t>()};
    }
    return counts;
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
