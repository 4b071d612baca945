-- A database, whether it is open for more of the log, and the last backup set in it. SQL Server 2016+ and Managed Instance.
-- Needs SELECT on msdb.dbo.restorehistory and msdb.dbo.backupset.
SELECT TOP (1) d.state_desc, d.is_in_standby, CONVERT(char(36), s.backup_set_uuid) AS uuid, r.stop_at
  FROM sys.databases AS d
  LEFT JOIN msdb.dbo.restorehistory AS r ON r.destination_database_name = d.name
  LEFT JOIN msdb.dbo.backupset AS s ON s.backup_set_id = r.backup_set_id
 WHERE d.name = %(name)s
 ORDER BY r.restore_history_id DESC
