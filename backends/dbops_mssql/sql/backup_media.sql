-- Where each stripe of the media sets lies. SQL Server 2016+ and Managed Instance.
-- Needs SELECT on msdb.dbo.backupmediafamily.
SELECT f.media_set_id, f.family_sequence_number, f.physical_device_name, f.device_type
  FROM msdb.dbo.backupmediafamily AS f
 WHERE f.mirror = 0
 ORDER BY f.media_set_id, f.family_sequence_number
