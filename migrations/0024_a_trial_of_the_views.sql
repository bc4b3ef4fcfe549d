-- What a document says of groups whose values are suppressed, how the rounds of two versions of a report are paired, and what
-- is said of dates that no history will ever reach.

COMMENT ON COLUMN heiasync.energy_levels.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.report_versions.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.reports.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.report_changes.ordinal IS 'The survey round by its place, 0 is the latest of each version: where a version has a round more than the other, the same place means another round (report_instances.start_time tells).';

-- Who asks for the cells of dates to come is told those of a year: more by a slip of the pen would keep the server busy for
-- an hour.
CREATE OR REPLACE FUNCTION heiasync.expected(from_date date, to_date date)
RETURNS TABLE (stream text, organisation_id bigint, business_id text, expected_on date, period_start date, period_end date,
               report_id bigint, generated_at timestamptz)
LANGUAGE sql STABLE ROWS 10000 AS $$
    SELECT cell.stream, cell.organisation_id, cell.business_id, day::date, cell.period_start, cell.period_end,
           cell.report_id, cell.generated_at
    FROM generate_series(greatest(from_date, heiasync.first_date())::timestamp,
                         least(to_date, heiasync.today() + 366)::timestamp, interval '1 day') AS day
    CROSS JOIN LATERAL heiasync.expected_on(day::date) AS cell;
$$;
COMMENT ON FUNCTION heiasync.expected(date, date) IS 'What should be in the history for the dates from_date to to_date, both inclusive (rule 6): one row is a cell. organisation_id is 0 for the listing of organisations; report_id is NULL for the listing of an organisation''s reports. Nothing before the history begins, and nothing of dates more than 366 days ahead; dates to come have the cells that they would have if nothing changed.';

ALTER FUNCTION heiasync.ready(date) RENAME TO ready_on;
COMMENT ON FUNCTION heiasync.ready_on(date) IS 'Internal. What ready() says of a date that is no infinity.';
CREATE FUNCTION heiasync.ready(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN isfinite(day) THEN heiasync.ready_on(day)
                WHEN day > '2000-01-01' AND heiasync.first_date() IS NOT NULL THEN false END;
$$;
COMMENT ON FUNCTION heiasync.ready(date) IS 'Whether the slot of that date has had its run and no gap of the date is open: nothing more is to come. False for a slot still to come; NULL before the history begins and for a date that the zone skips.';

-- Unknown before the history begins, also on the day after a period.
CREATE OR REPLACE FUNCTION heiasync.complete(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN heiasync.ready(day)
           THEN NOT heiasync.awaits_listing(day) AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day))
           ELSE heiasync.ready(day) END;
$$;

-- A plan that is made anew for each date takes as long as what it plans.
ALTER FUNCTION heiasync.gaps_on(date) SET plan_cache_mode = force_generic_plan;
