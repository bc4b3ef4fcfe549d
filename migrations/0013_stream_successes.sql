-- Who asks how things stand asks when each stream last succeeded, also where one has failed for a year of days.

CREATE TABLE heiasync.stream_successes (
    stream      text        NOT NULL CHECK (stream IN ('organisations', 'usage_stats', 'energy_levels', 'reports')),
    sync_run_id bigint      NOT NULL REFERENCES heiasync.sync_runs,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (stream, sync_run_id)
);
COMMENT ON TABLE heiasync.stream_successes IS 'One row is a run over everything that came to its end and after which nothing of the stream was left failed on its date.';
COMMENT ON COLUMN heiasync.stream_successes.stream IS 'organisations, usage_stats, energy_levels or reports.';
COMMENT ON COLUMN heiasync.stream_successes.sync_run_id IS 'The run.';
COMMENT ON COLUMN heiasync.stream_successes.finished_at IS 'When it ended.';

INSERT INTO heiasync.stream_successes
SELECT stream, sync_run_id, finished_at
FROM heiasync.sync_runs AS run CROSS JOIN unnest('{organisations,usage_stats,energy_levels,reports}'::text[]) AS streams (stream)
WHERE limited_to IS NULL AND status IN ('succeeded', 'partial') AND error IS NULL AND NOT EXISTS (
    SELECT FROM heiasync.sync_tasks AS task
    WHERE task.run_on = run.run_on AND task.sync_run_id <= run.sync_run_id AND task.stream = streams.stream
    GROUP BY organisation_id, business_id, period_start, report_id
    HAVING bool_and(task.status = 'failed'));

CALL heiasync.grant_to_roles();
