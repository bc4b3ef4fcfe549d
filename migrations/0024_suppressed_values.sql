-- What a document says of groups whose values are suppressed, and how the rounds of two versions of a report are paired.

COMMENT ON COLUMN heiasync.energy_levels.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.report_versions.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.reports.document_status IS 'stored (as it came), sanitised (what jsonb cannot hold, and values of a suppressed group that were sent all the same, were replaced) or too_large. The exact bytes are kept in any case, until heiasyncd forget takes open answers out of them.';
COMMENT ON COLUMN heiasync.report_changes.ordinal IS 'The survey round by its place, 0 is the latest of each version: where a version has a round more than the other, the same place means another round (report_instances.start_time tells).';

-- Unknown before the history begins, also on the day after a period.
CREATE OR REPLACE FUNCTION heiasync.complete(day date) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN heiasync.ready(day)
           THEN NOT heiasync.awaits_listing(day) AND NOT EXISTS (SELECT FROM heiasync.gaps_on(day))
           ELSE heiasync.ready(day) END;
$$;
