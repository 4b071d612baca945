-- The files of each database when it was backed up. SQL Server 2016+ and Managed Instance.
-- Needs SELECT on msdb.dbo.backupfile.
SELECT f.backup_set_id, f.file_number, f.logical_name, f.physical_drive, f.physical_name, f.file_type, f.file_size,
       f.is_present, CONVERT(char(36), f.differential_base_guid) AS base
  FROM msdb.dbo.backupfile AS f
 WHERE f.drop_lsn IS NULL OR f.drop_lsn = 0
 ORDER BY f.backup_set_id, f.file_number
