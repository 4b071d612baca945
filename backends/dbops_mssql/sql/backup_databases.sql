-- The databases, and what keeps one from being backed up. SQL Server 2016+ and Managed Instance.
-- Needs VIEW ANY DEFINITION (from 2022 on: VIEW ANY SECURITY DEFINITION) for the sizes of all.
SELECT d.database_id, d.name, d.state_desc, d.recovery_model_desc, d.is_in_standby, d.is_read_only, d.is_encrypted,
       d.replica_id, (SELECT SUM(CONVERT(bigint, f.size)) FROM sys.master_files AS f WHERE f.database_id = d.database_id)
       * 8192 AS bytes
  FROM sys.databases AS d
 WHERE d.name <> N'tempdb' AND d.source_database_id IS NULL
 ORDER BY d.database_id
