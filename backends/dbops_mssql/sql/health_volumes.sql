-- Every file of every database, and the volume that it lies on. SQL Server 2016+; VIEW SERVER STATE and VIEW ANY
-- DEFINITION, without which files are left out silently. Sizes in pages of 8 KiB, of volumes in bytes.
SELECT f.database_id AS id, f.file_id, f.type_desc AS kind, f.size AS pages, f.max_size AS max_pages, f.growth,
       v.volume_mount_point AS volume, v.logical_volume_name AS label, v.total_bytes, v.available_bytes,
       CONVERT(int, v.is_read_only) AS is_read_only
FROM sys.master_files AS f
OUTER APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
ORDER BY f.database_id, f.file_id
