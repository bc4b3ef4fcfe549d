-- Who may do what, where the roles of deploy/postgres/roles.sql exist. In a database without them the one role that
-- migrates does everything. A later migration that adds a relation ends with the same CALL.

CREATE PROCEDURE heiasync.grant_to_roles() LANGUAGE plpgsql AS $$
DECLARE
    confidential CONSTANT text[] := ARRAY['report_sources', 'report_originals', 'energy_level_originals'];
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
            IF relation.is_table AND relation.name <> 'schema_migrations' THEN
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
    END IF;
END
$$;
COMMENT ON PROCEDURE heiasync.grant_to_roles() IS 'Internal. Gives heiasync_writer and heiasync_reader, where they exist, what each may do with the relations that exist.';

CALL heiasync.grant_to_roles();
