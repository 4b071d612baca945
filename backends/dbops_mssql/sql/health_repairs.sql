-- Pages that were damaged here and were asked of another replica. SQL Server 2016+; VIEW SERVER STATE.
SELECT p.database_id AS id, DB_NAME(p.database_id) AS name, p.file_id, p.page_id, p.error_type, p.page_status,
       DATEDIFF(MINUTE, p.modification_time, GETDATE()) AS age_min
FROM sys.dm_hadr_auto_page_repair AS p
