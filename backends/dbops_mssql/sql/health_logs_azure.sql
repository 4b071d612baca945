-- How full the log of the database of this session is. Azure SQL Database; VIEW DATABASE STATE.
SELECT DB_NAME() AS name, l.total_log_size_in_bytes / 1024 AS size_kb, l.used_log_space_in_bytes / 1024 AS used_kb
FROM sys.dm_db_log_space_usage AS l
