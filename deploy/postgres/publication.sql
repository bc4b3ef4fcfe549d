-- What a subscriber needs to have every relation that consumers see, by logical replication (docs/operating.md):
--
--     psql --dbname heiasync --file publication.sql          as a superuser, after `heiasyncd migrate`
--
-- Run it again after each upgrade: a migration may have added a table. Where reports were fetched, the exact bytes of the
-- documents and what belongs to this server alone are not published.

DO $$
DECLARE
    unpublished CONSTANT text[] := ARRAY['report_sources', 'report_originals', 'energy_level_originals', 'run_lock',
                                         'schema_migrations'];
    tables      text;
BEGIN
    SELECT string_agg(format('heiasync.%I', relname), ', ' ORDER BY relname) INTO STRICT tables
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'heiasync'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname <> ALL (unpublished);

    IF EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'heiasync') THEN
        EXECUTE 'ALTER PUBLICATION heiasync SET TABLE ' || tables;
    ELSE
        EXECUTE format('CREATE PUBLICATION heiasync FOR TABLE %s WITH (publish_via_partition_root)', tables);
    END IF;
END
$$;
