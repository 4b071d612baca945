-- State and settings of every database. SQL Server 2016+; VIEW ANY DATABASE, which public has.
-- last_log_backup_lsn: NULL where no log backup can be made, in SIMPLE or as long as there was no full backup.
SELECT d.name,
       d.database_id AS id,
       d.state_desc AS state,
       d.user_access_desc AS user_access,
       CONVERT(int, d.is_read_only) AS is_read_only,
       CONVERT(int, d.is_in_standby) AS is_in_standby,
       CONVERT(int, d.is_auto_close_on) AS auto_close,
       CONVERT(int, d.is_auto_shrink_on) AS auto_shrink,
       d.recovery_model_desc AS recovery_model,
       d.page_verify_option_desc AS page_verify,
       d.log_reuse_wait_desc AS log_reuse_wait,
       d.source_database_id AS snapshot_of,
       CASE WHEN d.replica_id IS NULL THEN 0 ELSE 1 END AS in_group,
       CONVERT(nvarchar(60), DATABASEPROPERTYEX(d.name, 'Updateability')) AS updateability,
       CONVERT(nvarchar(36), r.family_guid) AS family,
       CONVERT(nvarchar(30), r.last_log_backup_lsn) AS log_backup_lsn,
       DATEDIFF(MINUTE, d.create_date, GETDATE()) AS created_min
FROM sys.databases AS d
LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
ORDER BY d.name
