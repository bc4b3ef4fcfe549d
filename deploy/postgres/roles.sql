-- The three roles, in the database that holds the history:
--
--     psql --dbname heiasync --file roles.sql          as a superuser, before the first `heiasyncd migrate`
--
-- heiasync_owner    migrates, rebuilds and forgets; owns the schema. For database.owner_url.
-- heiasync_writer   is for the daemon: inserts observations, and can neither change nor delete one. For database.url.
-- heiasync_reader   is for people and programs that query: SELECT on everything but where a report was fetched
--                   (report_sources), the exact bytes of the documents (*_originals) and who has the run lock (run_lock).
--
-- They cannot log in: make roles that can, and grant them one of these (GRANT heiasync_reader TO analyst), or ALTER ROLE
-- ... LOGIN. Whoever of the owners migrates, what there is belongs to heiasync_owner. What each may do with which relation is in the schema itself (the procedure heiasync.grant_to_roles, which
-- every migration that adds a relation calls), so nothing has to be repeated here after an upgrade. Run this file again
-- whenever you like, also in a database that was migrated before the roles existed.
--
-- None of this is needed where one role does everything: the migrations work without these roles.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['heiasync_owner', 'heiasync_writer', 'heiasync_reader'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;

    EXECUTE format('GRANT CONNECT ON DATABASE %I TO heiasync_owner, heiasync_writer, heiasync_reader', current_database());
    -- The writer puts a document together in a temporary table.
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO heiasync_owner, heiasync_writer', current_database());

    IF to_regnamespace('heiasync') IS NULL THEN
        CREATE SCHEMA heiasync AUTHORIZATION heiasync_owner;
    END IF;
    -- The writer looks for the schema before the first migration.
    GRANT USAGE ON SCHEMA heiasync TO heiasync_writer, heiasync_reader;
    IF to_regprocedure('heiasync.grant_to_roles()') IS NOT NULL THEN
        CALL heiasync.grant_to_roles();
    END IF;
END
$$;
