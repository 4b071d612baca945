-- Pages that could not be read, or not as they were written. SQL Server 2016+; SELECT on msdb's suspect_pages.
SELECT p.database_id AS id, DB_NAME(p.database_id) AS name, p.file_id, p.page_id, p.event_type, p.error_count,
       DATEDIFF(MINUTE, p.last_update_date, GETDATE()) AS age_min
FROM msdb.dbo.suspect_pages AS p
ORDER BY p.last_update_date DESC
