-- By an array of unknown length the planner takes ten business ids an organisation for granted, and compiles what is done in
-- less time than it takes to compile it.

CREATE OR REPLACE VIEW heiasync.usage_subjects AS
SELECT DISTINCT organisation_id, '' AS business_id FROM heiasync.organisation_versions
UNION ALL
SELECT DISTINCT version.organisation_id, subject.business_id
FROM heiasync.organisation_versions AS version
CROSS JOIN LATERAL unnest(version.business_ids) AS subject (business_id)
WHERE version.business_ids <> '{}' AND subject.business_id <> '';
