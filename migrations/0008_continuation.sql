-- What a later run needs to know to continue one that died, and listings that shrank too much to be believed.

ALTER TABLE heiasync.sync_runs ADD COLUMN limited_to text;
COMMENT ON COLUMN heiasync.sync_runs.limited_to IS 'The options that limited it, as on the command line; NULL for a run over all organisations and streams.';

ALTER TABLE heiasync.listings ADD COLUMN held_back boolean NOT NULL DEFAULT false;
ALTER TABLE heiasync.listings ALTER COLUMN held_back DROP DEFAULT;
ALTER TABLE heiasync.listings ADD CHECK (complete OR NOT held_back);
COMMENT ON COLUMN heiasync.listings.held_back IS 'Whether it lacked so many organisations at once that those were not taken for removed: it counts as the known organisations.';

-- Whoever is listed now was on the last listing that was believed or on a later one: only those are opened.
CREATE VIEW heiasync.sightings AS
SELECT seen.organisation_id, max(listing.listing_id) AS listing_id, max(listing.listed_at) AS last_seen_at
FROM heiasync.listings AS listing
CROSS JOIN LATERAL unnest(listing.organisation_ids) AS seen (organisation_id)
WHERE listing.listing_id >= coalesce((SELECT max(listing_id) FROM heiasync.listings WHERE complete AND NOT held_back), 0)
GROUP BY seen.organisation_id;
COMMENT ON VIEW heiasync.sightings IS 'Internal. One row is an organisation on the last listing that was complete and not held back, or on a later one.';
COMMENT ON COLUMN heiasync.sightings.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.sightings.listing_id IS 'The last listing that had it.';
COMMENT ON COLUMN heiasync.sightings.last_seen_at IS 'Time of that listing.';

CREATE OR REPLACE VIEW heiasync.organisations AS
WITH newest AS (
    SELECT DISTINCT ON (organisation_id) *
    FROM heiasync.organisation_versions
    ORDER BY organisation_id, organisation_version_id DESC
)
SELECT newest.organisation_id, newest.name, newest.size_class, newest.multi_business_id, newest.business_ids,
       newest.su_access,
       (SELECT oldest.valid_from FROM heiasync.organisation_versions AS oldest
        WHERE oldest.organisation_id = newest.organisation_id
        ORDER BY oldest.organisation_version_id LIMIT 1) AS first_seen_at,
       coalesce(newest.last_seen_at, sightings.last_seen_at) AS last_seen_at,
       CASE WHEN NOT newest.listed THEN newest.valid_from END AS removed_at
FROM newest
LEFT JOIN heiasync.sightings USING (organisation_id);

CALL heiasync.grant_to_roles();
