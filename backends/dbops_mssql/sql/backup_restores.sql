-- Restores that brought a database online. SQL Server 2016+ and Managed Instance.
-- Needs SELECT on msdb.dbo.restorehistory and msdb.dbo.backupset.
SELECT r.destination_database_name, r.restore_date, r.stop_at, s.backup_start_date, s.time_zone
  FROM msdb.dbo.restorehistory AS r
  LEFT JOIN msdb.dbo.backupset AS s ON s.backup_set_id = r.backup_set_id
 WHERE r.recovery = 1 AND r.restore_date IS NOT NULL AND r.destination_database_name IS NOT NULL
 ORDER BY r.restore_history_id
