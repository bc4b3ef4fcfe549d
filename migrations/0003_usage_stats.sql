-- Usage statistics: live figures, observed at least once a day and never changed afterwards.

CREATE TABLE heiasync.usage_stats (
    organisation_id                   bigint      NOT NULL,
    business_id                       text        NOT NULL,
    observed_at                       timestamptz NOT NULL,
    observed_on                       date        NOT NULL,
    total_membership_count            bigint,
    hh_core_total_membership_count    bigint,
    hh_core_accepted_membership_count bigint,
    app_use_count                     bigint,
    app_monthly_use_count             bigint,
    extra                             jsonb       NOT NULL,
    sync_run_id                       bigint      NOT NULL REFERENCES heiasync.sync_runs,
    PRIMARY KEY (organisation_id, business_id, observed_on, observed_at, sync_run_id)
);
-- Observations arrive in the order of days, so a summary of a few pages finds a day's.
CREATE INDEX usage_stats_observed_on ON heiasync.usage_stats USING brin (observed_on)
    WITH (pages_per_range = 32, autosummarize = on);
COMMENT ON TABLE heiasync.usage_stats IS 'One row is one observation. Rows of the whole organisation and rows of its business ids overlap and must not be added up.';
COMMENT ON COLUMN heiasync.usage_stats.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.usage_stats.business_id IS 'The business id; '''' for the whole organisation.';
COMMENT ON COLUMN heiasync.usage_stats.observed_at IS 'When the last byte of the answer arrived.';
COMMENT ON COLUMN heiasync.usage_stats.observed_on IS 'Local date of the run that observed it.';
COMMENT ON COLUMN heiasync.usage_stats.total_membership_count IS 'Number of users in the organisation; NULL where the API gave none. Source: total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats.hh_core_total_membership_count IS 'Number of users with HeiaHeia functionality; NULL where the API gave none. Source: hh_core_total_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats.hh_core_accepted_membership_count IS 'Number of users with HeiaHeia functionality who have taken it into use; NULL where the API gave none. Source: hh_core_accepted_membership_count.';
COMMENT ON COLUMN heiasync.usage_stats.app_use_count IS 'Number of times the mobile applications were used, cumulative since 2018-03-14; NULL where the API gave none. Source: app_use_count.';
COMMENT ON COLUMN heiasync.usage_stats.app_monthly_use_count IS 'Number of times the mobile applications were used in the month before the observation; NULL where the API gave none. Source: app_monthly_use_count.';
COMMENT ON COLUMN heiasync.usage_stats.extra IS 'Members of the answer that the vendor''s document does not describe; {} where there are none.';
COMMENT ON COLUMN heiasync.usage_stats.sync_run_id IS 'The run that observed it.';
