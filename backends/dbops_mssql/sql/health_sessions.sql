-- Sessions that wait for others, that others wait for, or that hold a transaction open. SQL Server 2016+, Azure SQL
-- Database; VIEW SERVER STATE (there: VIEW DATABASE STATE), without which a login sees itself alone, silently.
SELECT s.session_id AS id, s.login_name AS login, s.host_name AS host, s.program_name AS program,
       DB_NAME(COALESCE(r.database_id, s.database_id)) AS db, s.status, s.open_transaction_count AS transactions,
       r.command, r.blocking_session_id AS blocked_by, r.wait_time AS wait_ms, r.wait_type, r.wait_resource,
       CASE WHEN r.session_id IS NULL THEN DATEDIFF(SECOND, s.last_request_end_time, GETDATE()) END AS idle_s
FROM sys.dm_exec_sessions AS s
LEFT JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
WHERE s.is_user_process = 1
  AND s.session_id <> @@SPID
  AND (s.open_transaction_count > 0 OR r.blocking_session_id <> 0
       OR s.session_id IN (SELECT w.blocking_session_id FROM sys.dm_exec_requests AS w
                           WHERE w.blocking_session_id <> 0))
ORDER BY s.session_id
