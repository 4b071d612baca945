-- 13+, no privilege (pg_read_all_settings for those of superusers): settings that decide about backups.
SELECT name::text AS name, setting AS value, unit AS unit FROM pg_catalog.pg_settings
WHERE name IN ('archive_command', 'archive_library', 'archive_mode', 'archive_timeout', 'block_size', 'data_checksums',
               'data_directory', 'default_toast_compression', 'hba_file', 'max_replication_slots',
               'max_slot_wal_keep_size', 'max_wal_senders', 'shared_preload_libraries', 'summarize_wal',
               'wal_compression', 'wal_keep_size', 'wal_level', 'wal_segment_size')
ORDER BY name
