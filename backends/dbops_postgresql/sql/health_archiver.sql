-- Whether WAL leaves for the archive. PostgreSQL 13+ (archive_library: 15+); no privilege.
-- Only whether there is a command, never the command: people put secrets into it.
SELECT current_setting('archive_mode') AS mode, pg_is_in_recovery() AS standby,
       current_setting('archive_command') IN ('', '(disabled)')
         AND COALESCE(current_setting('archive_library', true), '') = '' AS nothing_to_run,
       archived_count, failed_count, last_failed_wal,
       EXTRACT(epoch FROM clock_timestamp() - last_archived_time)::float8 AS archived_s,
       EXTRACT(epoch FROM clock_timestamp() - last_failed_time)::float8 AS failed_s
FROM pg_stat_archiver
