-- What was known when: the rows whose transaction had been made by an instant, as they are decoded today. A run that had
-- ended by then has stored all it ever will; one that was going on is looked at task by task.

ALTER TABLE heiasync.sync_tasks ADD COLUMN stored_at timestamptz;
COMMENT ON COLUMN heiasync.sync_tasks.stored_at IS 'When its transaction was made: later than finished_at where the database was away. NULL where it was stored by a version that did not record it.';

CREATE FUNCTION heiasync.usage_stats_as_of(instant timestamptz) RETURNS SETOF heiasync.usage_stats
LANGUAGE sql STABLE AS $$
    SELECT stored.*
    FROM heiasync.usage_stats AS stored JOIN heiasync.sync_runs AS run USING (sync_run_id)
    WHERE stored.observed_at <= instant AND (run.finished_at <= instant OR EXISTS (
        SELECT FROM heiasync.sync_tasks AS task
        WHERE task.organisation_id = stored.organisation_id AND task.sync_run_id = stored.sync_run_id
          AND task.stream = 'usage_stats' AND task.business_id = stored.business_id AND task.status = 'done'
          AND coalesce(task.stored_at, task.finished_at) <= instant));
$$;
COMMENT ON FUNCTION heiasync.usage_stats_as_of(timestamptz) IS 'The rows of usage_stats whose transaction was finished by an instant.';

CREATE FUNCTION heiasync.energy_levels_as_of(instant timestamptz) RETURNS SETOF heiasync.energy_levels
LANGUAGE sql STABLE AS $$
    SELECT stored.*
    FROM heiasync.energy_levels AS stored JOIN heiasync.sync_runs AS run USING (sync_run_id)
    WHERE stored.fetched_at <= instant AND (run.finished_at <= instant OR EXISTS (
        SELECT FROM heiasync.sync_tasks AS task
        WHERE task.organisation_id = stored.organisation_id AND task.sync_run_id = stored.sync_run_id
          AND task.stream = 'energy_levels' AND task.business_id = stored.business_id
          AND task.period_start = stored.period_start AND task.status = 'done'
          AND coalesce(task.stored_at, task.finished_at) <= instant));
$$;
COMMENT ON FUNCTION heiasync.energy_levels_as_of(timestamptz) IS 'The rows of energy_levels whose transaction was finished by an instant, as decoded today.';

CREATE FUNCTION heiasync.reports_as_of(instant timestamptz) RETURNS SETOF heiasync.reports
LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT report_version_id, organisation_id, report_id, generated_at
        FROM heiasync.report_versions AS stored JOIN heiasync.sync_runs AS run USING (sync_run_id)
        WHERE stored.downloaded_at <= instant AND (run.finished_at <= instant OR EXISTS (
            SELECT FROM heiasync.sync_tasks AS task
            WHERE task.organisation_id = stored.organisation_id AND task.sync_run_id = stored.sync_run_id
              AND task.stream = 'reports' AND task.report_id = stored.report_id AND task.status = 'done'
              AND coalesce(task.stored_at, task.finished_at) <= instant))
    )
    SELECT version.report_version_id, version.report_id, version.organisation_id, version.business_id,
           version.sub_report, version.title, version.business_description, version.generated_at,
           version.document_generated_at, version.first_viewed_at, version.scheduled_survey_id,
           version.scheduled_survey_title, version.survey_id, version.survey_title, version.started_at,
           version.ends_on, version.closed, version.enabled_questions, version.copy_questions,
           version.first_listed_at, version.downloaded_at,
           NOT EXISTS (SELECT FROM known AS later
                       WHERE later.organisation_id = version.organisation_id AND later.report_id = version.report_id
                         AND later.generated_at > version.generated_at),
           version.document, version.document_status, version.sync_run_id
    FROM heiasync.report_versions AS version JOIN known USING (organisation_id, report_version_id);
$$;
COMMENT ON FUNCTION heiasync.reports_as_of(timestamptz) IS 'The rows of reports whose transaction was finished by an instant, as decoded today; is_latest_version is as of then.';

CREATE FUNCTION heiasync.organisations_as_of(instant timestamptz) RETURNS SETOF heiasync.organisations
LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT listing_id, listed_at, complete AND NOT held_back AS is_believed, organisation_ids
        FROM heiasync.listings AS listing JOIN heiasync.sync_runs AS run USING (sync_run_id)
        WHERE listed_at <= instant AND (run.finished_at <= instant OR EXISTS (
            SELECT FROM heiasync.sync_tasks AS task
            WHERE task.sync_run_id = listing.sync_run_id AND task.run_on = listing.run_on
              AND task.finished_at >= listing.listed_at AND coalesce(task.stored_at, task.finished_at) <= instant))
    ), sighting AS (
        SELECT seen.organisation_id, max(listed_at) AS last_seen_at
        FROM known CROSS JOIN LATERAL unnest(organisation_ids) AS seen (organisation_id)
        WHERE listing_id >= coalesce((SELECT max(listing_id) FROM known WHERE is_believed), 0)
        GROUP BY seen.organisation_id
    ), newest AS (
        SELECT DISTINCT ON (organisation_id) *
        FROM heiasync.organisation_versions
        WHERE valid_from <= (SELECT max(listed_at) FROM known)
        ORDER BY organisation_id, organisation_version_id DESC
    )
    SELECT newest.organisation_id, newest.name, newest.size_class, newest.multi_business_id, newest.business_ids,
           newest.su_access,
           (SELECT oldest.valid_from FROM heiasync.organisation_versions AS oldest
            WHERE oldest.organisation_id = newest.organisation_id
            ORDER BY oldest.organisation_version_id LIMIT 1),
           coalesce(newest.last_seen_at, sighting.last_seen_at), CASE WHEN NOT newest.listed THEN newest.valid_from END
    FROM newest LEFT JOIN sighting USING (organisation_id);
$$;
COMMENT ON FUNCTION heiasync.organisations_as_of(timestamptz) IS 'organisations as it was at an instant, by the listings whose transaction was finished by then.';
