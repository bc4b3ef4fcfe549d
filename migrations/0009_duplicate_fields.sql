-- A field that stands twice in one object: the columns have its first value, jsonb its last.

ALTER TABLE heiasync.schema_drift
    DROP CONSTRAINT schema_drift_kind_check,
    ADD CONSTRAINT schema_drift_kind_check CHECK (kind IN ('unknown_field', 'other_type', 'duplicate_field'));
COMMENT ON COLUMN heiasync.schema_drift.kind IS 'unknown_field, other_type, or duplicate_field: it stands twice in one object; the columns have the first value, a document in jsonb the last.';
