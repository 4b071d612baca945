-- Backup sets of the last year and the media that they lie on. SQL Server 2016+ and Managed Instance.
-- Needs SELECT on msdb.dbo.backupset and msdb.dbo.backupmediaset.
SELECT s.backup_set_id, s.media_set_id, CONVERT(char(36), s.backup_set_uuid) AS uuid, s.database_name, s.type, s.position,
       s.first_lsn, s.last_lsn, s.checkpoint_lsn, s.backup_start_date, s.backup_finish_date, s.time_zone,
       :valid_until AS last_valid_restore_time,
       CONVERT(char(36), s.first_recovery_fork_guid) AS first_fork, CONVERT(char(36), s.last_recovery_fork_guid) AS last_fork,
       s.fork_point_lsn, CONVERT(char(36), s.family_guid) AS family, CONVERT(char(36), s.database_guid) AS binding,
       CONVERT(char(36), s.differential_base_guid) AS base, s.differential_base_lsn, s.is_copy_only, s.is_damaged,
       s.is_snapshot, s.has_bulk_logged_data, s.begins_log_chain, s.has_incomplete_metadata, s.is_force_offline,
       s.has_backup_checksums, s.recovery_model, s.server_name, s.user_name, s.name, s.software_major_version,
       s.software_minor_version, s.software_build_version, s.backup_size, s.compressed_backup_size,
       CONVERT(varchar(42), s.encryptor_thumbprint, 1) AS encryptor, m.media_family_count
  FROM msdb.dbo.backupset AS s
  JOIN msdb.dbo.backupmediaset AS m ON m.media_set_id = s.media_set_id
 WHERE s.backup_finish_date IS NOT NULL AND s.first_lsn IS NOT NULL
 ORDER BY s.backup_set_id
