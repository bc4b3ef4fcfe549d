-- What is left of a document once something was taken out of it, and who asks whether a report was erased.

ALTER TABLE heiasync.energy_level_originals ADD COLUMN exact boolean NOT NULL DEFAULT true;
ALTER TABLE heiasync.energy_level_originals ALTER COLUMN exact DROP DEFAULT;
COMMENT ON COLUMN heiasync.energy_level_originals.exact IS 'Whether the document is as it came; false: its open answers were erased, all else is as it came.';
COMMENT ON COLUMN heiasync.energy_level_originals.document_size IS 'Size of the whole document as it is kept, uncompressed, in bytes.';
COMMENT ON COLUMN heiasync.energy_level_originals.document_sha256 IS 'SHA-256 of the whole document as it is kept, uncompressed.';
COMMENT ON TABLE heiasync.energy_level_originals IS 'Owner and writer only. One row is a piece of the bytes of a snapshot''s answer: the evidence, and what the other rows can be derived from again.';

ALTER TABLE heiasync.report_originals ADD COLUMN exact boolean NOT NULL DEFAULT true;
ALTER TABLE heiasync.report_originals ALTER COLUMN exact DROP DEFAULT;
COMMENT ON COLUMN heiasync.report_originals.exact IS 'Whether the document is as it came; false: its open answers were erased, all else is as it came.';
COMMENT ON COLUMN heiasync.report_originals.document_size IS 'Size of the whole document as it is kept, uncompressed, in bytes.';
COMMENT ON COLUMN heiasync.report_originals.document_sha256 IS 'SHA-256 of the whole document as it is kept, uncompressed.';
COMMENT ON TABLE heiasync.report_originals IS 'Owner and writer only. One row is a piece of the bytes of a version''s document: the evidence, and what the other rows can be derived from again.';

COMMENT ON COLUMN heiasync.erasures.rows IS 'Number of rows, of all relations together, that were deleted; for open_answers, of documents that they were taken out of.';

CREATE FUNCTION heiasync.is_erased(organisation bigint, report bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM heiasync.erasures
                   WHERE organisation_id = organisation AND (what = 'organisation' OR what = 'report' AND report_id = report));
$$;
COMMENT ON FUNCTION heiasync.is_erased(bigint, bigint) IS 'Internal. Whether an organisation was erased or, where the second is not NULL, that report of it.';

COMMENT ON COLUMN heiasync.run_lock.purpose IS 'What it was taken for: run, migrate, rebuild, forget or to close dead runs.';
