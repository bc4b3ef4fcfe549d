-- What a review of 0019 found: hard cases of what is expected and of what is open, and a join that compared every pair of
-- cells on the day after a reporting period.

CREATE INDEX organisation_versions_gone ON heiasync.organisation_versions (organisation_id) WHERE NOT listed;

-- A report that was listed and not stored before its business id was kept: its attempts have it.
UPDATE heiasync.report_listings AS listed
SET business_id = attempt.business_id
FROM heiasync.sync_tasks AS attempt
WHERE listed.business_id = '' AND attempt.organisation_id = listed.organisation_id AND attempt.stream = 'reports'
  AND attempt.report_id = listed.report_id AND attempt.business_id <> '';

-- A listing that was held back shows organisations beside those that it is not believed to lack, and may yet have removed
-- others.
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
                      WHERE erasures.organisation_id = known.organisation_id AND what = 'organisation');
$$;

CREATE FUNCTION heiasync.listing_after(period_end date, zone text, api_zone text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT listing_id FROM heiasync.listings JOIN heiasync.sync_runs USING (sync_run_id)
    WHERE complete AND listings.run_on >= period_end
      AND started_at >= greatest(heiasync.end_of_date(period_end, zone), heiasync.end_of_date(period_end, api_zone),
                                 heiasync.end_of_date(period_end, 'UTC'))
    ORDER BY listings.run_on, listing_id LIMIT 1;
$$;
COMMENT ON FUNCTION heiasync.listing_after(date, text, text) IS 'Internal. The first complete listing after a reporting period has closed (rule 3): its organisations are those of whom energy levels are expected. NULL where there is none yet.';

CREATE OR REPLACE FUNCTION heiasync.expected_on(day date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, period_start date, period_end date, report_id bigint,
               generated_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 20000 AS $$
#variable_conflict use_column
DECLARE
    listing         heiasync.listings;
    settings        heiasync.settings_history;
    period          record;
    per_business_id boolean;
BEGIN
    IF day < heiasync.first_date() THEN
        RETURN;
    END IF;
    SELECT * INTO listing FROM heiasync.listings
    WHERE run_on <= day AND complete ORDER BY run_on DESC, listing_id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    settings := heiasync.settings_on(day);
    IF heiasync.slot_of(day, settings.daily_at, settings.time_zone) IS NULL THEN
        RETURN;
    END IF;

    -- Energy levels are those of the organisations that were there when the period had closed.
    FOR period IN
        SELECT reporting.period_start, reporting.period_end, listing_id, started_at
        FROM heiasync.reporting_periods(day - 1, day - 1) AS reporting
        JOIN heiasync.listings
          ON listing_id = heiasync.listing_after(reporting.period_end, settings.time_zone, settings.api_time_zone)
        JOIN heiasync.sync_runs USING (sync_run_id)
        WHERE reporting.period_end = day - 1
    LOOP
        per_business_id := (heiasync.settings_at(period.started_at)).energy_levels_per_business_id;
        RETURN QUERY
        SELECT 'energy_levels', known.organisation_id, subject.business_id, period.period_start, period.period_end,
               NULL::bigint, NULL::timestamptz
        FROM heiasync.known_after(period.listing_id) AS known
        CROSS JOIN LATERAL unnest('{""}'::text[] || CASE WHEN per_business_id THEN business_ids END)
            AS subject (business_id);
    END LOOP;

    IF listing.run_on = day THEN
        settings := heiasync.settings_at((SELECT started_at FROM heiasync.sync_runs
                                          WHERE sync_run_id = listing.sync_run_id));
    END IF;
    RETURN QUERY
    SELECT 'organisations', 0::bigint, '', NULL::date, NULL::date, NULL::bigint, NULL::timestamptz;
    RETURN QUERY
    SELECT subject.stream, known.organisation_id, subject.business_id, NULL::date, NULL::date, NULL::bigint,
           NULL::timestamptz
    FROM heiasync.known_after(listing.listing_id) AS known
    CROSS JOIN LATERAL (
        SELECT 'usage_stats', unnest('{""}'::text[] || CASE WHEN settings.stats_per_business_id THEN business_ids END)
        UNION ALL
        SELECT 'reports', '') AS subject (stream, business_id);
    RETURN QUERY
    SELECT 'reports', listed.organisation_id, listed.business_id, NULL::date, NULL::date, listed.report_id,
           listed.generated_at
    FROM heiasync.report_listings AS listed
    WHERE sync_run_id IN (SELECT sync_run_id FROM heiasync.sync_runs WHERE run_on = day)
      AND NOT heiasync.is_erased(listed.organisation_id, listed.report_id);
END
$$;

-- Dates have no zone: counted as timestamps with one, they would be those of whoever asks.
CREATE OR REPLACE FUNCTION heiasync.expected(from_date date, to_date date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, expected_on date, period_start date, period_end date,
               report_id bigint, generated_at timestamptz)
LANGUAGE sql STABLE ROWS 10000 AS $$
    SELECT cell.stream, cell.organisation_id, cell.business_id, day::date, cell.period_start, cell.period_end,
           cell.report_id, cell.generated_at
    FROM generate_series(greatest(from_date, heiasync.first_date())::timestamp, to_date::timestamp, interval '1 day') AS day
    CROSS JOIN LATERAL heiasync.expected_on(day::date) AS cell;
$$;

-- What the newest whole run that listed the organisation's reports did is what counts: a report that is listed again is to
-- be had again.
CREATE OR REPLACE FUNCTION heiasync.why_report_is_lost(organisation bigint, report bigint, generated timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM heiasync.report_listings
                     WHERE organisation_id = organisation AND report_id = report AND generated_at > generated)
          OR EXISTS (SELECT FROM heiasync.report_versions
                     WHERE organisation_id = organisation AND report_id = report AND generated_at > generated)
            THEN 'superseded'
        WHEN NOT (SELECT listed FROM heiasync.organisation_versions
                  WHERE organisation_id = organisation ORDER BY organisation_version_id DESC LIMIT 1)
            THEN 'organisation_removed'
        WHEN newest.sync_run_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM heiasync.sync_tasks AS attempt
            WHERE attempt.organisation_id = organisation AND attempt.report_id = report
              AND attempt.sync_run_id = newest.sync_run_id)
            THEN 'no_longer_listed'
    END
    FROM (SELECT (
        SELECT sync_run_id
        FROM heiasync.sync_tasks AS listing JOIN heiasync.sync_runs AS run USING (sync_run_id)
        WHERE listing.organisation_id = organisation AND listing.stream = 'reports' AND listing.report_id IS NULL
          AND listing.status = 'done' AND run.limited_to IS NULL AND run.status IN ('succeeded', 'partial')
          AND run.error IS NULL
          AND sync_run_id > (SELECT sync_run_id FROM heiasync.report_listings
                             WHERE organisation_id = organisation AND report_id = report AND generated_at = generated)
        ORDER BY sync_task_id DESC LIMIT 1) AS sync_run_id OFFSET 0) AS newest;
$$;

CREATE OR REPLACE FUNCTION heiasync.gaps_on(day date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, period_start date, period_end date, report_id bigint,
               generated_at timestamptz, state text, reason text, last_error text, last_attempt_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 10 SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
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
          -- A task knows the report, and not the version: from when a newer one was listed on, it was about that.
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

CREATE OR REPLACE VIEW heiasync.sync_gaps AS
SELECT gap.stream, gap.organisation_id, gap.business_id, day::date AS expected_on, gap.period_start, gap.period_end,
       gap.report_id, gap.state, gap.reason, gap.last_error, gap.last_attempt_at, gap.generated_at
FROM generate_series(heiasync.first_date()::timestamp, heiasync.today()::timestamp, interval '1 day') AS day
CROSS JOIN LATERAL heiasync.gaps_on(day::date) AS gap;

CREATE FUNCTION heiasync.awaits_listing(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM heiasync.reporting_periods(day - 1, day - 1) AS reporting
        CROSS JOIN heiasync.settings_on(day) AS settings
        WHERE reporting.period_end = day - 1
          AND heiasync.listing_after(reporting.period_end, settings.time_zone, settings.api_time_zone) IS NULL);
$$;
COMMENT ON FUNCTION heiasync.awaits_listing(date) IS 'Internal. Whether energy levels will be expected for a date of organisations that are not known yet: a reporting period ended on the day before, and there is no complete listing since it has closed.';

-- By the slot of an earlier daily_at that was set later on the date, a run may be the slot's that was none of the first.
CREATE OR REPLACE FUNCTION heiasync.ready(day date) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    at_present CONSTANT timestamptz := heiasync.current_instant();
    settings   heiasync.settings_history := heiasync.settings_on(day);
    newest     heiasync.settings_history;
    slot       CONSTANT timestamptz := heiasync.slot_of(day, settings.daily_at, settings.time_zone);
BEGIN
    IF (day >= heiasync.first_date()) IS NOT TRUE OR slot IS NULL THEN
        RETURN NULL;
    END IF;
    newest := heiasync.settings_at(least(at_present, heiasync.end_of_date(day, settings.time_zone)));
    RETURN slot <= at_present
       AND EXISTS (SELECT FROM heiasync.sync_runs
                   WHERE run_on = day AND limited_to IS NULL AND status IN ('succeeded', 'partial', 'failed')
                     AND (scheduled_for IS NOT NULL
                          OR started_at >= least(slot, heiasync.slot_of(day, newest.daily_at, newest.time_zone))))
       AND NOT (heiasync.today() - day <= (heiasync.settings_at(at_present)).max_days_late AND heiasync.awaits_listing(day))
       AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day) WHERE state = 'open');
END
$$;

CREATE OR REPLACE FUNCTION heiasync.complete(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT heiasync.ready(day) AND NOT heiasync.awaits_listing(day) AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day));
$$;

-- A run must be closed whatever becomes of the figures that go with the news of it.
CREATE FUNCTION heiasync.gap_counts(day date) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_object('open', count(*) FILTER (WHERE state = 'open'),
                                     'final', count(*) FILTER (WHERE state = 'final'))
            FROM heiasync.sync_gaps WHERE expected_on = day);
EXCEPTION
    WHEN OTHERS OR query_canceled THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION heiasync.gap_counts(date) IS 'Internal. How many gaps of a date are open and final; NULL where it cannot be said.';

CALL heiasync.grant_to_roles();
