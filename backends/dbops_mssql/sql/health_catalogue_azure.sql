-- State and settings of the database of this session: master is the service's. Azure SQL Database; no privilege.
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
       0 AS in_group,
       CONVERT(nvarchar(60), DATABASEPROPERTYEX(d.name, 'Updateability')) AS updateability,
       CONVERT(nvarchar(36), NULL) AS family,
       CONVERT(nvarchar(30), NULL) AS log_backup_lsn,
       DATEDIFF(MINUTE, d.create_date, GETDATE()) AS created_min
FROM sys.databases AS d
WHERE d.name = DB_NAME()
