COMMENT ON COLUMN heiasync.settings_history.valid_from IS 'When these settings came into force: the start of the first run under them, or the reload by which a daemon learnt them.';
