-- Usage by day, month and reporting period, with honest deltas. Every row finds the observations that it is made of by their
-- key: a condition on the organisation, on the day, on the month or on the period then reaches the table, which it would not
-- through a window function. OFFSET 0 keeps the planner from joining instead of looking.

ALTER TABLE heiasync.usage_stats DROP CONSTRAINT usage_stats_pkey;
ALTER TABLE heiasync.usage_stats ADD CONSTRAINT usage_stats_pkey PRIMARY KEY USING INDEX usage_stats_covering;

CREATE VIEW heiasync.usage_stats_daily AS
SELECT last.organisation_id, last.business_id, last.observed_at, last.observed_on,
       last.total_membership_count, last.hh_core_total_membership_count, last.hh_core_accepted_membership_count,
       last.app_use_count, last.app_monthly_use_count, last.extra, last.sync_run_id,
       (SELECT count(*) FROM heiasync.usage_stats AS same
        WHERE same.organisation_id = last.organisation_id AND same.business_id = last.business_id
          AND same.observed_on = last.observed_on) AS observations,
       previous.observed_on AS previous_observed_on,
       (last.observed_on - previous.observed_on)::bigint AS days_since_previous,
       last.total_membership_count - previous.total_membership_count AS total_membership_count_delta,
       last.hh_core_total_membership_count - previous.hh_core_total_membership_count
           AS hh_core_total_membership_count_delta,
       last.hh_core_accepted_membership_count - previous.hh_core_accepted_membership_count
           AS hh_core_accepted_membership_count_delta,
       CASE WHEN last.app_use_count >= previous.app_use_count THEN last.app_use_count - previous.app_use_count END AS app_use_count_delta,
       last.app_monthly_use_count - previous.app_monthly_use_count AS app_monthly_use_count_delta,
       coalesce(last.app_use_count < previous.app_use_count, false) AS counter_reset
FROM heiasync.usage_stats AS last
LEFT JOIN LATERAL (
    SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count,
           app_use_count, app_monthly_use_count
    FROM heiasync.usage_stats
    WHERE organisation_id = last.organisation_id AND business_id = last.business_id
      AND observed_on < last.observed_on
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS previous ON true
WHERE NOT EXISTS (
    SELECT FROM heiasync.usage_stats AS later
    WHERE later.organisation_id = last.organisation_id AND later.business_id = last.business_id
      AND later.observed_on = last.observed_on
      AND (later.observed_at, later.sync_run_id) > (last.observed_at, last.sync_run_id)
    OFFSET 0);
COMMENT ON VIEW heiasync.usage_stats_daily IS 'One row is an organisation, or one of its business ids, on a day on which it was observed: the last observation of that day, and what changed since the last earlier day that was observed.';
COMMENT ON COLUMN heiasync.usage_stats_daily.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.usage_stats_daily.business_id IS 'The business id; '''' for the whole organisation.';
COMMENT ON COLUMN heiasync.usage_stats_daily.observed_at IS 'When the last byte of the answer arrived.';
COMMENT ON COLUMN heiasync.usage_stats_daily.observed_on IS 'Local date of the run that observed it.';
COMMENT ON COLUMN heiasync.usage_stats_daily.total_membership_count IS 'Number of users in the organisation, by the last observation of the day; NULL where the API gave none. Source: total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_daily.hh_core_total_membership_count IS 'Number of users with HeiaHeia functionality, by the last observation of the day; NULL where the API gave none. Source: hh_core_total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_daily.hh_core_accepted_membership_count IS 'Number of users with HeiaHeia functionality who have taken it into use, by the last observation of the day; NULL where the API gave none. Source: hh_core_accepted_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_daily.app_use_count IS 'Number of times the mobile applications were used, cumulative since 2018-03-14, by the last observation of the day; NULL where the API gave none. Source: app_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_daily.app_monthly_use_count IS 'Number of times the mobile applications were used in the month before the observation, by the last observation of the day; NULL where the API gave none. Source: app_monthly_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_daily.extra IS 'Members of the answer that the vendor''s document does not describe; {} where there are none.';
COMMENT ON COLUMN heiasync.usage_stats_daily.sync_run_id IS 'The run that observed it.';
COMMENT ON COLUMN heiasync.usage_stats_daily.observations IS 'Number of observations on that day.';
COMMENT ON COLUMN heiasync.usage_stats_daily.previous_observed_on IS 'The last earlier day on which the same was observed; NULL where there is none.';
COMMENT ON COLUMN heiasync.usage_stats_daily.days_since_previous IS 'Days from previous_observed_on to observed_on: 1 where no day is missing between.';
COMMENT ON COLUMN heiasync.usage_stats_daily.total_membership_count_delta IS 'total_membership_count minus that of previous_observed_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_daily.hh_core_total_membership_count_delta IS 'hh_core_total_membership_count minus that of previous_observed_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_daily.hh_core_accepted_membership_count_delta IS 'hh_core_accepted_membership_count minus that of previous_observed_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_daily.app_use_count_delta IS 'Times the mobile applications were used since then: app_use_count minus that of previous_observed_on. NULL where there is none, where either is NULL, and where the counter fell.';
COMMENT ON COLUMN heiasync.usage_stats_daily.app_monthly_use_count_delta IS 'app_monthly_use_count minus that of previous_observed_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_daily.counter_reset IS 'Whether app_use_count, which only grows, is less than on previous_observed_on.';

CREATE VIEW heiasync.usage_subjects AS
SELECT DISTINCT version.organisation_id, subject.business_id
FROM heiasync.organisation_versions AS version
CROSS JOIN LATERAL unnest('{""}'::text[] || version.business_ids) AS subject (business_id);
COMMENT ON VIEW heiasync.usage_subjects IS 'Internal. One row is what there can be usage statistics of: an organisation ever seen, or a business id that it ever had.';
COMMENT ON COLUMN heiasync.usage_subjects.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.usage_subjects.business_id IS 'The business id; '''' for the whole organisation.';

-- STRICT, so that it is called and not inlined: the planner then knows how many there are.
CREATE FUNCTION heiasync.calendar_months(from_date date, until_date date)
RETURNS TABLE (month date, last_day date) LANGUAGE sql STABLE STRICT ROWS 100 AS $$
    SELECT month::date, (month + interval '1 month - 1 day')::date
    FROM generate_series(date_trunc('month', from_date::timestamp), until_date::timestamp, interval '1 month') AS series (month);
$$;
COMMENT ON FUNCTION heiasync.calendar_months(date, date) IS 'Internal. The months that have a day from the one date to the other, both inclusive.';

CREATE VIEW heiasync.usage_stats_monthly AS
SELECT subject.organisation_id, subject.business_id, calendar.month, closing.observed_on AS closing_on,
       closing.total_membership_count, closing.hh_core_total_membership_count, closing.hh_core_accepted_membership_count,
       closing.app_use_count, closing.app_monthly_use_count,
       previous.observed_on AS previous_closing_on,
       closing.total_membership_count - previous.total_membership_count AS total_membership_count_delta,
       closing.hh_core_total_membership_count - previous.hh_core_total_membership_count
           AS hh_core_total_membership_count_delta,
       closing.hh_core_accepted_membership_count - previous.hh_core_accepted_membership_count
           AS hh_core_accepted_membership_count_delta,
       CASE WHEN closing.app_use_count >= previous.app_use_count THEN closing.app_use_count - previous.app_use_count END AS app_use_count_delta,
       closing.app_monthly_use_count - previous.app_monthly_use_count AS app_monthly_use_count_delta,
       coalesce(closing.app_use_count < previous.app_use_count, false) AS counter_reset,
       (SELECT count(*)
        FROM (SELECT DISTINCT observed_on FROM heiasync.usage_stats
              WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
                AND observed_on BETWEEN calendar.month AND calendar.last_day) AS days) AS observed_days,
       (calendar.last_day - calendar.month + 1)::bigint AS days_in_month
FROM heiasync.usage_subjects AS subject
CROSS JOIN heiasync.calendar_months(
    (SELECT min(run_on) FROM heiasync.sync_runs), (SELECT max(run_on) FROM heiasync.sync_runs)) AS calendar
CROSS JOIN LATERAL (
    SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count,
           app_use_count, app_monthly_use_count
    FROM heiasync.usage_stats
    WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
      AND observed_on BETWEEN calendar.month AND calendar.last_day
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS closing
LEFT JOIN LATERAL (
    SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count,
           app_use_count, app_monthly_use_count
    FROM heiasync.usage_stats
    WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
      AND observed_on BETWEEN (calendar.month - interval '1 month')::date AND calendar.month - 1
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS previous ON true;
COMMENT ON VIEW heiasync.usage_stats_monthly IS 'One row is an organisation, or one of its business ids, in a month in which it was observed: the last observation of the month, and what changed since the last one of the month directly before.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.business_id IS 'The business id; '''' for the whole organisation.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.month IS 'First day of the month.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.closing_on IS 'The month''s last observed day: the figures are those of its last observation.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.total_membership_count IS 'Number of users in the organisation, on closing_on; NULL where the API gave none. Source: total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.hh_core_total_membership_count IS 'Number of users with HeiaHeia functionality, on closing_on; NULL where the API gave none. Source: hh_core_total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.hh_core_accepted_membership_count IS 'Number of users with HeiaHeia functionality who have taken it into use, on closing_on; NULL where the API gave none. Source: hh_core_accepted_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.app_use_count IS 'Number of times the mobile applications were used, cumulative since 2018-03-14, on closing_on; NULL where the API gave none. Source: app_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.app_monthly_use_count IS 'Number of times the mobile applications were used in the month before the observation, on closing_on; NULL where the API gave none. Source: app_monthly_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.previous_closing_on IS 'Last observed day of the month directly before; NULL where that has none.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.total_membership_count_delta IS 'total_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.hh_core_total_membership_count_delta IS 'hh_core_total_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.hh_core_accepted_membership_count_delta IS 'hh_core_accepted_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.app_use_count_delta IS 'Times the mobile applications were used since then: app_use_count minus that of previous_closing_on. NULL where there is none, where either is NULL, and where the counter fell.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.app_monthly_use_count_delta IS 'app_monthly_use_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.counter_reset IS 'Whether app_use_count, which only grows, is less than on previous_closing_on.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.observed_days IS 'Number of days of the month on which it was observed.';
COMMENT ON COLUMN heiasync.usage_stats_monthly.days_in_month IS 'Number of days that the month has.';

CREATE VIEW heiasync.usage_stats_periods AS
SELECT subject.organisation_id, subject.business_id, period.period_start, period.period_end,
       closing.observed_on AS closing_on,
       closing.total_membership_count, closing.hh_core_total_membership_count, closing.hh_core_accepted_membership_count,
       closing.app_use_count, closing.app_monthly_use_count,
       previous.observed_on AS previous_closing_on,
       closing.total_membership_count - previous.total_membership_count AS total_membership_count_delta,
       closing.hh_core_total_membership_count - previous.hh_core_total_membership_count
           AS hh_core_total_membership_count_delta,
       closing.hh_core_accepted_membership_count - previous.hh_core_accepted_membership_count
           AS hh_core_accepted_membership_count_delta,
       CASE WHEN closing.app_use_count >= previous.app_use_count THEN closing.app_use_count - previous.app_use_count END AS app_use_count_delta,
       closing.app_monthly_use_count - previous.app_monthly_use_count AS app_monthly_use_count_delta,
       coalesce(closing.app_use_count < previous.app_use_count, false) AS counter_reset,
       (SELECT count(*)
        FROM (SELECT DISTINCT observed_on FROM heiasync.usage_stats
              WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
                AND observed_on BETWEEN period.period_start AND period.period_end) AS days) AS observed_days,
       (period.period_end - period.period_start + 1)::bigint AS days_in_period
FROM heiasync.usage_subjects AS subject
CROSS JOIN heiasync.reporting_periods(
    (SELECT min(run_on) FROM heiasync.sync_runs), (SELECT max(run_on) FROM heiasync.sync_runs)) AS period
CROSS JOIN LATERAL (
    SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count,
           app_use_count, app_monthly_use_count
    FROM heiasync.usage_stats
    WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
      AND observed_on BETWEEN period.period_start AND period.period_end
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS closing
LEFT JOIN LATERAL (
    SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count,
           app_use_count, app_monthly_use_count
    FROM heiasync.usage_stats
    WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
      AND observed_on < period.period_start
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS previous ON true;
COMMENT ON VIEW heiasync.usage_stats_periods IS 'One row is an organisation, or one of its business ids, in a reporting period in which it was observed: the usage that belongs beside energy_levels, from the last observation before the period to the last one in it.';
COMMENT ON COLUMN heiasync.usage_stats_periods.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.usage_stats_periods.business_id IS 'The business id; '''' for the whole organisation.';
COMMENT ON COLUMN heiasync.usage_stats_periods.period_start IS 'First day of the reporting period.';
COMMENT ON COLUMN heiasync.usage_stats_periods.period_end IS 'Last day of the reporting period, inclusive.';
COMMENT ON COLUMN heiasync.usage_stats_periods.closing_on IS 'The period''s last observed day: the figures are those of its last observation.';
COMMENT ON COLUMN heiasync.usage_stats_periods.total_membership_count IS 'Number of users in the organisation, on closing_on; NULL where the API gave none. Source: total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_periods.hh_core_total_membership_count IS 'Number of users with HeiaHeia functionality, on closing_on; NULL where the API gave none. Source: hh_core_total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_periods.hh_core_accepted_membership_count IS 'Number of users with HeiaHeia functionality who have taken it into use, on closing_on; NULL where the API gave none. Source: hh_core_accepted_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats_periods.app_use_count IS 'Number of times the mobile applications were used, cumulative since 2018-03-14, on closing_on; NULL where the API gave none. Source: app_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_periods.app_monthly_use_count IS 'Number of times the mobile applications were used in the month before the observation, on closing_on; NULL where the API gave none. Source: app_monthly_use_count.';
COMMENT ON COLUMN heiasync.usage_stats_periods.previous_closing_on IS 'Last observed day before the period, whatever its distance; NULL where there is none.';
COMMENT ON COLUMN heiasync.usage_stats_periods.total_membership_count_delta IS 'total_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_periods.hh_core_total_membership_count_delta IS 'hh_core_total_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_periods.hh_core_accepted_membership_count_delta IS 'hh_core_accepted_membership_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_periods.app_use_count_delta IS 'Times the mobile applications were used since then: app_use_count minus that of previous_closing_on. NULL where there is none, where either is NULL, and where the counter fell.';
COMMENT ON COLUMN heiasync.usage_stats_periods.app_monthly_use_count_delta IS 'app_monthly_use_count minus that of previous_closing_on; NULL where there is none or either is NULL.';
COMMENT ON COLUMN heiasync.usage_stats_periods.counter_reset IS 'Whether app_use_count, which only grows, is less than on previous_closing_on.';
COMMENT ON COLUMN heiasync.usage_stats_periods.observed_days IS 'Number of days of the period on which it was observed.';
COMMENT ON COLUMN heiasync.usage_stats_periods.days_in_period IS 'Number of days that the period has.';

CALL heiasync.grant_to_roles();
