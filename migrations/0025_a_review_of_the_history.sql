-- What a review of the whole history found.

-- A receipt is lifted, not deleted: what was erased before stays erased, and is not missing.

ALTER TABLE heiasync.erasures ADD COLUMN lifted_at timestamptz;
COMMENT ON COLUMN heiasync.erasures.lifted_at IS 'From when on it is fetched and expected again, as the owner decided; NULL where it is not. What was erased stays erased.';

CREATE OR REPLACE FUNCTION heiasync.is_erased(organisation bigint, report bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM heiasync.erasures
                   WHERE organisation_id = organisation AND lifted_at IS NULL
                     AND (what = 'organisation' OR what = 'report' AND report_id = report));
$$;

CREATE OR REPLACE FUNCTION heiasync.known_after(listing bigint) RETURNS TABLE (organisation_id bigint, business_ids text[])
LANGUAGE sql STABLE ROWS 1000 AS $$
    WITH until AS (
        SELECT listed_at FROM heiasync.listings WHERE listing_id = listing
    ), known AS (
        SELECT DISTINCT listed.organisation_id
        FROM heiasync.listings AS listings CROSS JOIN LATERAL unnest(organisation_ids) AS listed (organisation_id)
        WHERE complete AND listing_id <= listing
          AND listing_id >= coalesce((SELECT max(listing_id) FROM heiasync.listings
                                      WHERE listing_id <= listing AND complete AND NOT held_back), 0)
    ), several AS (
        SELECT version.organisation_id, version.business_ids
        FROM heiasync.organisation_versions AS version CROSS JOIN until
        WHERE multi_business_id AND valid_from <= listed_at AND NOT EXISTS (
            SELECT FROM heiasync.organisation_versions AS later
            WHERE later.organisation_id = version.organisation_id
              AND later.organisation_version_id > version.organisation_version_id AND later.valid_from <= listed_at)
    ), gone AS (
        SELECT version.organisation_id
        FROM heiasync.organisation_versions AS version CROSS JOIN until
        WHERE NOT listed AND valid_from <= listed_at AND NOT EXISTS (
            SELECT FROM heiasync.organisation_versions AS later
            WHERE later.organisation_id = version.organisation_id
              AND later.organisation_version_id > version.organisation_version_id AND later.valid_from <= listed_at)
    )
    SELECT known.organisation_id, coalesce(several.business_ids, '{}')
    FROM known LEFT JOIN several USING (organisation_id)
    WHERE NOT EXISTS (SELECT FROM gone WHERE gone.organisation_id = known.organisation_id)
      AND NOT EXISTS (SELECT FROM heiasync.erasures
                      WHERE erasures.organisation_id = known.organisation_id AND what = 'organisation'
                        AND (lifted_at IS NULL OR (SELECT listed_at FROM until) < lifted_at));
$$;

-- Which questions a document was asked is looked up from the questions, too: by who erases them.

CREATE INDEX energy_levels_question_set ON heiasync.energy_levels (question_set_id);
CREATE INDEX report_versions_question_set ON heiasync.report_versions (question_set_id);

-- What failed before a version was listed says nothing of it.

CREATE OR REPLACE FUNCTION heiasync.gaps_on(day date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, period_start date, period_end date, report_id bigint,
               generated_at timestamptz, state text, reason text, last_error text, last_attempt_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 10 SET enable_nestloop = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    at_present CONSTANT timestamptz := heiasync.current_instant();
    today      CONSTANT date := heiasync.today();
    max_late   CONSTANT bigint := (heiasync.settings_at(at_present)).max_days_late;
    settings   heiasync.settings_history := heiasync.settings_on(day);
    slot       CONSTANT timestamptz := heiasync.slot_of(day, settings.daily_at, settings.time_zone);
    last_run   record;
    day_lasts  boolean;
    may_wait   boolean;
BEGIN
    IF slot IS NULL OR slot > at_present THEN
        RETURN;
    END IF;
    SELECT coalesce(bool_or(limited_to IS NULL), false) AS was,
           (array_agg(error ORDER BY sync_run_id DESC) FILTER (WHERE limited_to IS NULL))[1] AS error,
           coalesce(bool_or(status = 'running'), false) AS is_going
    INTO last_run FROM heiasync.sync_runs WHERE run_on = day;
    day_lasts := at_present < heiasync.end_of_date(day, settings.time_zone)
                              + CASE WHEN last_run.is_going THEN interval '2 hours' ELSE interval '0' END;
    may_wait := today - day <= max_late;
    IF NOT may_wait AND today - day <= max_late + 1 THEN
        -- The last run that could bring them may outlive its date.
        may_wait := EXISTS (SELECT FROM heiasync.sync_runs
                            WHERE status = 'running' AND run_on - day = max_late
                              AND at_present < heiasync.end_of_date(run_on, settings.time_zone) + interval '2 hours');
    END IF;

    RETURN QUERY
    WITH cell AS MATERIALIZED (
        SELECT * FROM heiasync.expected_on(day)
    ), settled AS MATERIALIZED (
        SELECT task.stream, task.organisation_id, task.business_id FROM heiasync.sync_tasks AS task
        WHERE run_on = day AND (task.stream = 'usage_stats' AND task.status = 'skipped'
                                OR task.stream = 'reports' AND task.status = 'done' AND task.report_id IS NULL)
    ), missing AS (
        SELECT * FROM cell WHERE cell.stream = 'organisations' AND NOT EXISTS (
            SELECT FROM heiasync.listings WHERE run_on = day AND complete AND NOT held_back)
        UNION ALL
        SELECT * FROM cell WHERE cell.stream = 'usage_stats' AND NOT EXISTS (
            SELECT FROM heiasync.usage_stats AS stored
            WHERE stored.organisation_id = cell.organisation_id AND stored.business_id = cell.business_id
              AND stored.observed_on = day)
        AND NOT EXISTS (
            SELECT FROM settled WHERE settled.stream = 'usage_stats'
              AND settled.organisation_id = cell.organisation_id AND settled.business_id = cell.business_id)
        UNION ALL
        SELECT * FROM cell WHERE cell.stream = 'energy_levels' AND NOT EXISTS (
            SELECT FROM heiasync.energy_levels AS stored
            WHERE stored.organisation_id = cell.organisation_id AND stored.business_id = cell.business_id
              AND stored.period_start = cell.period_start AND stored.period_end = cell.period_end)
        AND NOT EXISTS (
            SELECT FROM heiasync.sync_tasks AS skipped
            WHERE skipped.stream = 'energy_levels' AND skipped.status = 'skipped'
              AND skipped.period_start = cell.period_start AND skipped.organisation_id = cell.organisation_id
              AND skipped.business_id = cell.business_id)
        UNION ALL
        SELECT * FROM cell WHERE cell.stream = 'reports' AND cell.report_id IS NULL AND NOT EXISTS (
            SELECT FROM settled
            WHERE settled.stream = 'reports' AND settled.organisation_id = cell.organisation_id)
        UNION ALL
        SELECT * FROM cell WHERE cell.stream = 'reports' AND cell.report_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM heiasync.report_versions AS stored
            WHERE stored.organisation_id = cell.organisation_id AND stored.report_id = cell.report_id
              AND stored.generated_at = cell.generated_at)
    )
    SELECT missing.stream, missing.organisation_id, missing.business_id, missing.period_start, missing.period_end,
           missing.report_id, missing.generated_at, CASE WHEN fate.is_open THEN 'open' ELSE 'final' END,
           coalesce(failure.reason, fate.loss, CASE
               WHEN missing.stream = 'energy_levels' AND NOT fate.is_open THEN 'too_late'
               WHEN last_run.was THEN 'not_asked'
               ELSE 'no_run'
           END),
           CASE WHEN failure.finished_at IS NULL THEN last_run.error ELSE failure.error END, failure.finished_at
    FROM missing
    LEFT JOIN LATERAL (
        SELECT failed.reason, failed.error, failed.http_status, failed.finished_at
        FROM heiasync.sync_tasks AS failed
        WHERE failed.status = 'failed' AND failed.organisation_id = missing.organisation_id
          AND failed.stream = missing.stream AND failed.business_id = missing.business_id
          AND failed.period_start IS NOT DISTINCT FROM missing.period_start
          AND failed.report_id IS NOT DISTINCT FROM missing.report_id
          AND (failed.run_on = day OR missing.period_start IS NOT NULL OR missing.report_id IS NOT NULL)
          -- A task knows the report, and not the version: it was about the newest one that was listed by then.
          AND (missing.report_id IS NULL OR failed.finished_at >= (
              SELECT first_listed_at FROM heiasync.report_listings AS listed
              WHERE listed.organisation_id = missing.organisation_id AND listed.report_id = missing.report_id
                AND listed.generated_at = missing.generated_at))
          AND (missing.report_id IS NULL OR NOT EXISTS (
              SELECT FROM heiasync.report_listings AS newer
              WHERE newer.organisation_id = missing.organisation_id AND newer.report_id = missing.report_id
                AND newer.generated_at > missing.generated_at AND newer.first_listed_at <= failed.finished_at))
        ORDER BY failed.sync_task_id DESC LIMIT 1) AS failure ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN missing.report_id IS NOT NULL THEN heiasync.why_report_is_lost(
                   missing.organisation_id, missing.report_id, missing.generated_at) END AS loss OFFSET 0) AS lost
    CROSS JOIN LATERAL (
        SELECT lost.loss, CASE
            WHEN missing.stream = 'energy_levels' THEN may_wait
            WHEN missing.report_id IS NOT NULL THEN lost.loss IS NULL
            ELSE day_lasts AND coalesce(failure.http_status, 0) NOT IN (400, 403, 404)
        END AS is_open) AS fate;
END
$$;

CREATE OR REPLACE FUNCTION heiasync.complete(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE heiasync.ready(day)
           WHEN true THEN NOT heiasync.awaits_listing(day) AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day))
           WHEN false THEN false END;
$$;

-- A counter that fell and grew past where it was is greater than at the end of the month before, and yet the difference is none.

CREATE OR REPLACE VIEW heiasync.usage_stats_monthly AS
SELECT subject.organisation_id, subject.business_id, calendar.month, closing.observed_on AS closing_on,
       closing.total_membership_count, closing.hh_core_total_membership_count, closing.hh_core_accepted_membership_count,
       closing.app_use_count, closing.app_monthly_use_count,
       previous.observed_on AS previous_closing_on,
       closing.total_membership_count - previous.total_membership_count AS total_membership_count_delta,
       closing.hh_core_total_membership_count - previous.hh_core_total_membership_count
           AS hh_core_total_membership_count_delta,
       closing.hh_core_accepted_membership_count - previous.hh_core_accepted_membership_count
           AS hh_core_accepted_membership_count_delta,
       CASE WHEN NOT course.fell THEN closing.app_use_count - previous.app_use_count END AS app_use_count_delta,
       closing.app_monthly_use_count - previous.app_monthly_use_count AS app_monthly_use_count_delta,
       course.fell AS counter_reset,
       course.observed_days,
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
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS previous ON true
CROSS JOIN LATERAL (
    SELECT count(DISTINCT observed_on) AS observed_days,
           coalesce(bool_or(app_use_count < greatest(highest, previous.app_use_count)), false) AS fell
    FROM (SELECT observed_on, app_use_count,
                 max(app_use_count) OVER (ORDER BY observed_on, observed_at, sync_run_id ROWS UNBOUNDED PRECEDING) AS highest
          FROM heiasync.usage_stats
          WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
            AND observed_on BETWEEN calendar.month AND calendar.last_day) AS observation) AS course;
COMMENT ON COLUMN heiasync.usage_stats_monthly.app_use_count_delta IS 'Times the mobile applications were used since then: app_use_count minus that of previous_closing_on. NULL where there is none, where either is NULL, and where the counter fell (counter_reset).';
COMMENT ON COLUMN heiasync.usage_stats_monthly.counter_reset IS 'Whether app_use_count, which only grows, fell: whether an observation of the month has less than an earlier one of the month, or than previous_closing_on.';

CREATE OR REPLACE VIEW heiasync.usage_stats_periods AS
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
       CASE WHEN NOT course.fell THEN closing.app_use_count - previous.app_use_count END AS app_use_count_delta,
       closing.app_monthly_use_count - previous.app_monthly_use_count AS app_monthly_use_count_delta,
       course.fell AS counter_reset,
       course.observed_days,
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
    ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS previous ON true
CROSS JOIN LATERAL (
    SELECT count(DISTINCT observed_on) AS observed_days,
           coalesce(bool_or(app_use_count < greatest(highest, previous.app_use_count)), false) AS fell
    FROM (SELECT observed_on, app_use_count,
                 max(app_use_count) OVER (ORDER BY observed_on, observed_at, sync_run_id ROWS UNBOUNDED PRECEDING) AS highest
          FROM heiasync.usage_stats
          WHERE organisation_id = subject.organisation_id AND business_id = subject.business_id
            AND observed_on BETWEEN period.period_start AND period.period_end) AS observation) AS course;
COMMENT ON COLUMN heiasync.usage_stats_periods.app_use_count_delta IS 'Times the mobile applications were used since then: app_use_count minus that of previous_closing_on. NULL where there is none, where either is NULL, and where the counter fell (counter_reset).';
COMMENT ON COLUMN heiasync.usage_stats_periods.counter_reset IS 'Whether app_use_count, which only grows, fell: whether an observation of the period has less than an earlier one of the period, or than previous_closing_on.';

-- Documents are not rebuilt in the order in which they came: an earlier sighting of a field may be found after a later one.

CREATE OR REPLACE PROCEDURE heiasync.grant_to_roles() LANGUAGE plpgsql AS $$
DECLARE
    confidential CONSTANT text[] := ARRAY['report_sources', 'report_originals', 'energy_level_originals', 'run_lock'];
    relation     record;
BEGIN
    IF to_regrole('heiasync_reader') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA heiasync TO heiasync_reader;
    END IF;
    IF to_regrole('heiasync_writer') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA heiasync TO heiasync_writer;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA heiasync TO heiasync_writer;
    END IF;

    FOR relation IN
        SELECT relname AS name, relkind IN ('r', 'p') AS is_table
        FROM pg_catalog.pg_class
        WHERE relnamespace = 'heiasync'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    LOOP
        IF to_regrole('heiasync_reader') IS NOT NULL AND relation.name <> ALL (confidential) THEN
            EXECUTE format('GRANT SELECT ON heiasync.%I TO heiasync_reader', relation.name);
        END IF;
        IF to_regrole('heiasync_writer') IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON heiasync.%I TO heiasync_writer', relation.name);
            IF relation.is_table AND relation.name NOT IN ('schema_migrations', 'run_lock', 'erasures') THEN
                EXECUTE format('GRANT INSERT ON heiasync.%I TO heiasync_writer', relation.name);
            END IF;
        END IF;
    END LOOP;

    -- What is no observation and goes on changing.
    IF to_regrole('heiasync_writer') IS NOT NULL THEN
        GRANT UPDATE (finished_at, status, organisations, requests, failures, bytes_received, error)
            ON heiasync.sync_runs TO heiasync_writer;
        GRANT UPDATE (first_seen_at, last_seen_at) ON heiasync.schema_drift TO heiasync_writer;
        GRANT UPDATE (simulated_now) ON heiasync.rehearsal TO heiasync_writer;
        GRANT UPDATE ON heiasync.run_lock TO heiasync_writer;
    END IF;
END
$$;

CALL heiasync.grant_to_roles();
