-- How far a BACKUP, RESTORE or DBCC of one session is. SQL Server 2016+ and Managed Instance.
-- Needs VIEW SERVER STATE (from 2022 on: VIEW SERVER PERFORMANCE STATE).
SELECT r.percent_complete FROM sys.dm_exec_requests AS r WHERE r.session_id = %(session)s
