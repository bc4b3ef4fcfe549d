-- Failures are few, and who asks how things stand asks for them among years of what was done.

CREATE INDEX sync_tasks_failed ON heiasync.sync_tasks (sync_run_id, stream) WHERE status = 'failed';
