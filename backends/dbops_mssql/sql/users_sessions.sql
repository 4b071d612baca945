-- The sessions of a login, or (of: its database) of a contained user. SQL Server 2016+, Azure SQL; VIEW SERVER STATE, in
-- Azure SQL Database VIEW DATABASE STATE. For logins authenticating_database_id is 0 as documented, or that of master.
SELECT s.session_id
FROM sys.dm_exec_sessions AS s
WHERE s.original_login_name = %(login)s
    AND CASE WHEN s.authenticating_database_id > 1 THEN s.authenticating_database_id ELSE 0 END
        = ISNULL(DB_ID(NULLIF(%(of)s, N'')), 0)
