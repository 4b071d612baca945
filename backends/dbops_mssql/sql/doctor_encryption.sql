-- SQL Server 2016+, Azure SQL; VIEW SERVER STATE (2022: VIEW SERVER SECURITY STATE).
SELECT encrypt_option
FROM sys.dm_exec_connections
WHERE session_id = @@SPID
