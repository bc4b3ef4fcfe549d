-- What should be in the history (rule 6), and what of it is not (rule 7). Days are looked at one by one: a condition on
-- expected_on reaches the days themselves, and each costs what one day costs.

ALTER TABLE heiasync.report_listings ADD COLUMN business_id text NOT NULL DEFAULT '';
ALTER TABLE heiasync.report_listings ALTER COLUMN business_id DROP DEFAULT;
COMMENT ON COLUMN heiasync.report_listings.business_id IS 'Business id of a sub report; '''' for the whole organisation, and where it was recorded by a version that did not keep it.';
CREATE INDEX report_listings_sync_run_id ON heiasync.report_listings (sync_run_id);
UPDATE heiasync.report_listings AS listed
SET business_id = version.business_id
FROM heiasync.report_versions AS version
WHERE version.organisation_id = listed.organisation_id AND version.report_id = listed.report_id
  AND version.generated_at = listed.generated_at AND version.business_id <> '';

-- Few: who asks why a cell is missing asks for its last failure.
CREATE INDEX sync_tasks_failed_cells ON heiasync.sync_tasks (organisation_id, stream, business_id, sync_task_id)
    WHERE status = 'failed';
CREATE INDEX organisation_versions_several_business_ids ON heiasync.organisation_versions (organisation_id)
    WHERE multi_business_id;

CREATE FUNCTION heiasync.current_instant() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT simulated_now FROM heiasync.rehearsal), now());
$$;
COMMENT ON FUNCTION heiasync.current_instant() IS 'Now; in the history of a rehearsal the simulated time last seen.';

CREATE FUNCTION heiasync.slot_of(day date, daily_at time, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    wanted   CONSTANT timestamp := day + daily_at;
    instant  timestamptz := wanted AT TIME ZONE zone;
    earlier  timestamptz;
    low      timestamptz;
    middle   timestamptz;
BEGIN
    IF ((day + time '12:00') AT TIME ZONE zone AT TIME ZONE zone)::date <> day THEN
        RETURN NULL;
    END IF;
    IF instant AT TIME ZONE zone <> wanted THEN
        -- The zone skips it: the transition lies where its local time passes what is wanted.
        low := instant - interval '1 day';
        instant := instant + interval '1 day';
        WHILE instant - low > interval '1 second' LOOP
            middle := date_trunc('second', low + (instant - low) / 2);
            IF middle AT TIME ZONE zone < wanted THEN
                low := middle;
            ELSE
                instant := middle;
            END IF;
        END LOOP;
        RETURN CASE WHEN (instant AT TIME ZONE zone)::date = day THEN instant ELSE instant - interval '1 minute' END;
    END IF;
    -- One that happens twice: by the offset of the day before, it is the first of the two.
    earlier := wanted AT TIME ZONE 'UTC'
               - ((instant - interval '1 day') AT TIME ZONE zone - (instant - interval '1 day') AT TIME ZONE 'UTC');
    RETURN CASE WHEN earlier < instant AND earlier AT TIME ZONE zone = wanted THEN earlier ELSE instant END;
END
$$;
COMMENT ON FUNCTION heiasync.slot_of(date, time, text) IS 'The slot of a local date at a local time in a zone (rule 1): the first instant after the gap where the zone skips that time or, where that is another date, the last minute before it; the first of the two where it happens twice; NULL for a date that the zone skips.';

CREATE FUNCTION heiasync.end_of_date(day date, zone text) RETURNS timestamptz LANGUAGE sql STABLE STRICT AS $$
    SELECT (day + 1)::timestamp AT TIME ZONE zone;
$$;
COMMENT ON FUNCTION heiasync.end_of_date(date, text) IS 'The instant at which a local date ends in a zone.';

CREATE FUNCTION heiasync.settings_at(instant timestamptz) RETURNS heiasync.settings_history LANGUAGE sql STABLE AS $$
    SELECT settings FROM heiasync.settings_history AS settings
    ORDER BY valid_from <= instant DESC, CASE WHEN valid_from <= instant THEN settings_id END DESC, settings_id
    LIMIT 1;
$$;
COMMENT ON FUNCTION heiasync.settings_at(timestamptz) IS 'Internal. The settings in force at an instant; before the first, those.';

CREATE FUNCTION heiasync.settings_on(day date) RETURNS heiasync.settings_history LANGUAGE sql STABLE AS $$
    SELECT settings FROM heiasync.settings_history AS settings
    CROSS JOIN (SELECT min(started_at) AS started_at FROM heiasync.sync_runs
                WHERE run_on = day AND limited_to IS NULL) AS first_run
    ORDER BY valid_from <= coalesce(started_at, heiasync.end_of_date(day, time_zone)) DESC,
             CASE WHEN valid_from <= coalesce(started_at, heiasync.end_of_date(day, time_zone)) THEN settings_id END DESC,
             settings_id
    LIMIT 1;
$$;
COMMENT ON FUNCTION heiasync.settings_on(date) IS 'Internal. The settings that decide about a date: those of its first run over everything or, without one, of its end.';

CREATE FUNCTION heiasync.first_date() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT run_on FROM heiasync.listings WHERE complete ORDER BY listing_id LIMIT 1;
$$;
COMMENT ON FUNCTION heiasync.first_date() IS 'The date with which the history begins, that of the first complete listing; NULL where there is none.';

CREATE FUNCTION heiasync.today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (heiasync.current_instant() AT TIME ZONE (heiasync.settings_at(heiasync.current_instant())).time_zone)::date;
$$;
COMMENT ON FUNCTION heiasync.today() IS 'The local date of now; NULL before the history begins.';

-- A listing that was held back shows organisations beside those that it is not believed to lack.
CREATE FUNCTION heiasync.known_after(listing bigint) RETURNS TABLE (organisation_id bigint, business_ids text[])
LANGUAGE sql STABLE ROWS 1000 AS $$
    WITH known AS (
        SELECT DISTINCT listed.organisation_id
        FROM heiasync.listings AS listings CROSS JOIN LATERAL unnest(organisation_ids) AS listed (organisation_id)
        WHERE complete AND listing_id <= listing
          AND listing_id >= coalesce((SELECT max(listing_id) FROM heiasync.listings
                                      WHERE listing_id <= listing AND complete AND NOT held_back), 0)
    ), several AS (
        SELECT version.organisation_id, version.business_ids
        FROM heiasync.organisation_versions AS version
        CROSS JOIN (SELECT listed_at FROM heiasync.listings WHERE listing_id = listing) AS until
        WHERE multi_business_id AND valid_from <= listed_at AND NOT EXISTS (
            SELECT FROM heiasync.organisation_versions AS later
            WHERE later.organisation_id = version.organisation_id
              AND later.organisation_version_id > version.organisation_version_id AND later.valid_from <= listed_at)
    )
    SELECT known.organisation_id, coalesce(several.business_ids, '{}')
    FROM known LEFT JOIN several USING (organisation_id)
    WHERE NOT EXISTS (SELECT FROM heiasync.erasures
                      WHERE erasures.organisation_id = known.organisation_id AND what = 'organisation');
$$;
COMMENT ON FUNCTION heiasync.known_after(bigint) IS 'Internal. The organisations that are known after a complete listing, with their business ids where they have several.';

CREATE FUNCTION heiasync.expected_on(day date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, period_start date, period_end date, report_id bigint,
               generated_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 20000 AS $$
#variable_conflict use_column
DECLARE
    listing  heiasync.listings;
    settings heiasync.settings_history;
    period   record;
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
        SELECT reporting.period_start, reporting.period_end, closing.listing_id, started_at
        FROM heiasync.reporting_periods(day - 1, day - 1) AS reporting
        CROSS JOIN LATERAL (
            SELECT listing_id, started_at FROM heiasync.listings JOIN heiasync.sync_runs USING (sync_run_id)
            WHERE complete AND listings.run_on >= reporting.period_end
              AND started_at >= greatest(heiasync.end_of_date(reporting.period_end, settings.time_zone),
                                         heiasync.end_of_date(reporting.period_end, settings.api_time_zone),
                                         heiasync.end_of_date(reporting.period_end, 'UTC'))
            ORDER BY listings.run_on, listing_id LIMIT 1) AS closing
        WHERE reporting.period_end = day - 1
    LOOP
        RETURN QUERY
        SELECT 'energy_levels', known.organisation_id, subject.business_id, period.period_start, period.period_end,
               NULL::bigint, NULL::timestamptz
        FROM heiasync.known_after(period.listing_id) AS known
        CROSS JOIN LATERAL unnest('{""}'::text[] || CASE
            WHEN (heiasync.settings_at(period.started_at)).energy_levels_per_business_id THEN business_ids
        END) AS subject (business_id);
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
    WHERE sync_run_id IN (SELECT sync_run_id FROM heiasync.sync_runs WHERE run_on = day) AND NOT EXISTS (
        SELECT FROM heiasync.erasures
        WHERE erasures.organisation_id = listed.organisation_id
          AND (what = 'organisation' OR what = 'report' AND erasures.report_id = listed.report_id));
END
$$;
COMMENT ON FUNCTION heiasync.expected_on(date) IS 'Internal. What expected() says of one date.';

CREATE FUNCTION heiasync.expected(from_date date, to_date date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, expected_on date, period_start date, period_end date,
               report_id bigint, generated_at timestamptz)
LANGUAGE sql STABLE ROWS 10000 AS $$
    SELECT cell.stream, cell.organisation_id, cell.business_id, day::date, cell.period_start, cell.period_end,
           cell.report_id, cell.generated_at
    FROM generate_series(greatest(from_date, heiasync.first_date()), to_date, interval '1 day') AS day
    CROSS JOIN LATERAL heiasync.expected_on(day::date) AS cell;
$$;
COMMENT ON FUNCTION heiasync.expected(date, date) IS 'What should be in the history for the dates from_date to to_date, both inclusive (rule 6): one row is a cell. organisation_id is 0 for the listing of organisations; report_id is NULL for the listing of an organisation''s reports. Nothing before the history begins.';

-- A version is no longer to be had once a newer one is listed, its organisation has gone, or a whole run has listed the
-- organisation's reports and found nothing to fetch for it.
CREATE FUNCTION heiasync.why_report_is_lost(organisation bigint, report bigint, generated timestamptz) RETURNS text
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
        WHEN EXISTS (
            SELECT FROM heiasync.sync_tasks AS listing JOIN heiasync.sync_runs AS run USING (sync_run_id)
            WHERE listing.organisation_id = organisation AND listing.stream = 'reports' AND listing.report_id IS NULL
              AND listing.status = 'done' AND run.status IN ('succeeded', 'partial') AND run.error IS NULL
              AND sync_run_id > (SELECT sync_run_id FROM heiasync.report_listings
                                 WHERE organisation_id = organisation AND report_id = report
                                   AND generated_at = generated)
              AND NOT EXISTS (SELECT FROM heiasync.sync_tasks AS attempt
                              WHERE attempt.organisation_id = organisation AND attempt.report_id = report
                                AND attempt.sync_run_id = listing.sync_run_id))
            THEN 'no_longer_listed'
    END;
$$;
COMMENT ON FUNCTION heiasync.why_report_is_lost(bigint, bigint, timestamptz) IS 'Internal. Why a version of a report that is not stored can no longer be: superseded, organisation_removed or no_longer_listed; NULL while it can.';

-- How many cells a date has is not known when this is planned: a nested loop over pairs of them takes 10 s where there are
-- 10,000 organisations, a join by hash a quarter of one.
CREATE FUNCTION heiasync.gaps_on(day date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, period_start date, period_end date, report_id bigint,
               generated_at timestamptz, state text, reason text, last_error text, last_attempt_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 10 SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    at_present CONSTANT timestamptz := heiasync.current_instant();
    settings   heiasync.settings_history := heiasync.settings_on(day);
    slot       CONSTANT timestamptz := heiasync.slot_of(day, settings.daily_at, settings.time_zone);
    last_run   record;
    day_lasts  boolean;
    may_wait   boolean;
BEGIN
    IF slot IS NULL OR slot > at_present THEN
        RETURN;
    END IF;
    SELECT count(*) > 0 AS was, (array_agg(error ORDER BY sync_run_id DESC))[1] AS error,
           coalesce(bool_or(status = 'running'), false) AS is_going
    INTO last_run FROM heiasync.sync_runs WHERE run_on = day AND limited_to IS NULL;
    day_lasts := at_present < heiasync.end_of_date(day, settings.time_zone)
                              + CASE WHEN last_run.is_going THEN interval '2 hours' ELSE interval '0' END;
    may_wait := heiasync.today() - day <= (heiasync.settings_at(at_present)).max_days_late;

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
COMMENT ON FUNCTION heiasync.gaps_on(date) IS 'Internal. What sync_gaps says of one date.';

CREATE VIEW heiasync.sync_gaps AS
SELECT gap.stream, gap.organisation_id, gap.business_id, day::date AS expected_on, gap.period_start, gap.period_end,
       gap.report_id, gap.state, gap.reason, gap.last_error, gap.last_attempt_at, gap.generated_at
FROM generate_series(heiasync.first_date(), heiasync.today(), interval '1 day') AS day
CROSS JOIN LATERAL heiasync.gaps_on(day::date) AS gap;
COMMENT ON VIEW heiasync.sync_gaps IS 'One row is an expected piece of history that is missing (rules 6 and 7). A condition on expected_on makes it quick: each date is looked at by itself.';
COMMENT ON COLUMN heiasync.sync_gaps.stream IS 'organisations (the listing of all), usage_stats, energy_levels or reports.';
COMMENT ON COLUMN heiasync.sync_gaps.organisation_id IS 'The organisation; 0 for the listing of all.';
COMMENT ON COLUMN heiasync.sync_gaps.business_id IS 'The business id; '''' for the whole organisation.';
COMMENT ON COLUMN heiasync.sync_gaps.expected_on IS 'Local date for which it is expected: the date of a listing or of usage statistics, the day after the end of a reporting period, the date on which a report was first listed as viewed.';
COMMENT ON COLUMN heiasync.sync_gaps.period_start IS 'First day of the reporting period; NULL but for energy_levels.';
COMMENT ON COLUMN heiasync.sync_gaps.period_end IS 'Last day of the reporting period, inclusive; NULL but for energy_levels.';
COMMENT ON COLUMN heiasync.sync_gaps.report_id IS 'The report; NULL for the listing of an organisation''s reports and for other streams.';
COMMENT ON COLUMN heiasync.sync_gaps.state IS 'open: it may still be filled; final: it never can be.';
COMMENT ON COLUMN heiasync.sync_gaps.reason IS 'Why it is missing: the code of the last failure or, where it was never asked for, no_run, not_asked, too_late, superseded, organisation_removed or no_longer_listed.';
COMMENT ON COLUMN heiasync.sync_gaps.last_error IS 'What went wrong at the last attempt, in words; where it was never asked for, what ended the last run of its date.';
COMMENT ON COLUMN heiasync.sync_gaps.last_attempt_at IS 'When the last attempt ended; NULL where it was never asked for.';
COMMENT ON COLUMN heiasync.sync_gaps.generated_at IS 'When the missing version of the report was generated; NULL for everything else.';

CREATE FUNCTION heiasync.ready(day date) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    settings heiasync.settings_history := heiasync.settings_on(day);
    slot     CONSTANT timestamptz := heiasync.slot_of(day, settings.daily_at, settings.time_zone);
BEGIN
    IF (day >= heiasync.first_date()) IS NOT TRUE OR slot IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN slot <= heiasync.current_instant()
       AND EXISTS (SELECT FROM heiasync.sync_runs
                   WHERE run_on = day AND limited_to IS NULL AND status IN ('succeeded', 'partial', 'failed')
                     AND (scheduled_for IS NOT NULL OR started_at >= slot))
       AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day) WHERE state = 'open');
END
$$;
COMMENT ON FUNCTION heiasync.ready(date) IS 'Whether the slot of that date has had its run and no gap of the date is open: nothing more is to come. False for a slot still to come; NULL before the history begins and for a date that the zone skips.';

CREATE FUNCTION heiasync.complete(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT heiasync.ready(day) AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day));
$$;
COMMENT ON FUNCTION heiasync.complete(date) IS 'Whether that date is ready() and has no gap at all. False for a slot still to come; NULL before the history begins and for a date that the zone skips.';

CALL heiasync.grant_to_roles();
