-- Who has the run lock. An advisory lock goes with its session, which a process may lose without noticing: so each taking raises
-- the epoch, and every transaction of a run reads it.

CREATE TABLE heiasync.run_lock (
    only_row   boolean PRIMARY KEY CHECK (only_row),
    epoch      bigint NOT NULL,
    holder     uuid NOT NULL,
    host       text NOT NULL,
    process_id bigint NOT NULL,
    backend_id bigint NOT NULL,
    purpose    text NOT NULL,
    taken_at   timestamptz NOT NULL
);
COMMENT ON TABLE heiasync.run_lock IS 'Internal. The one row is who last took the run lock; whether it is still had, pg_locks knows.';
COMMENT ON COLUMN heiasync.run_lock.only_row IS 'True: there is one row.';
COMMENT ON COLUMN heiasync.run_lock.epoch IS 'How often the lock was taken. A process whose epoch this is not writes nothing.';
COMMENT ON COLUMN heiasync.run_lock.holder IS 'A random id of this taking.';
COMMENT ON COLUMN heiasync.run_lock.host IS 'Host of the process that took it.';
COMMENT ON COLUMN heiasync.run_lock.process_id IS 'Id of the process on that host.';
COMMENT ON COLUMN heiasync.run_lock.backend_id IS 'Process id of its session on the server.';
COMMENT ON COLUMN heiasync.run_lock.purpose IS 'What it was taken for: run, migrate or to close dead runs.';
COMMENT ON COLUMN heiasync.run_lock.taken_at IS 'When, by the clock of that process.';

INSERT INTO heiasync.run_lock (only_row, epoch, holder, host, process_id, backend_id, purpose, taken_at)
VALUES (true, 0, '00000000-0000-0000-0000-000000000000', '', 0, 0, '', '-infinity');

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
            IF relation.is_table AND relation.name NOT IN ('schema_migrations', 'run_lock') THEN
                EXECUTE format('GRANT INSERT ON heiasync.%I TO heiasync_writer', relation.name);
            END IF;
        END IF;
    END LOOP;

    -- What is no observation and goes on changing.
    IF to_regrole('heiasync_writer') IS NOT NULL THEN
        GRANT UPDATE (finished_at, status, organisations, requests, failures, bytes_received, error)
            ON heiasync.sync_runs TO heiasync_writer;
        GRANT UPDATE (last_seen_at) ON heiasync.schema_drift TO heiasync_writer;
        GRANT UPDATE (simulated_now) ON heiasync.rehearsal TO heiasync_writer;
        GRANT UPDATE ON heiasync.run_lock TO heiasync_writer;
    END IF;
END
$$;

CALL heiasync.grant_to_roles();
