-- The sessions of a login. SQL Server 2016+; VIEW SERVER STATE.
SELECT s.session_id
FROM sys.dm_exec_sessions AS s
WHERE s.original_login_name = %(login)s
