-- Databases of availability groups whose copy here is a secondary one. SQL Server 2016+.
-- Needs VIEW SERVER STATE (from 2022 on: VIEW SERVER PERFORMANCE STATE).
SELECT d.name
  FROM sys.dm_hadr_database_replica_states AS r
  JOIN sys.databases AS d ON d.database_id = r.database_id
 WHERE r.is_local = 1 AND r.is_primary_replica = 0
