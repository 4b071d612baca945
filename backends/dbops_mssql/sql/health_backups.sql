-- The newest backup of each kind that this server made of each database within 60 days; those that are damaged, that
-- went to NUL or whose full backup is not known stand apart. SQL Server 2016+; SELECT on msdb's backupset and
-- backupmediafamily. Times in msdb are local, with a time zone in quarters of an hour (127: not known).
WITH made AS (
    SELECT b.database_name,
           b.type,
           CONVERT(nvarchar(36), b.family_guid) AS family,
           CONVERT(int, b.is_damaged) AS is_damaged,
           CONVERT(int, b.is_copy_only) AS is_copy_only,
           CONVERT(int, b.is_snapshot) AS is_snapshot,
           CONVERT(int, b.has_backup_checksums) AS has_checksums,
           CASE WHEN b.time_zone BETWEEN -48 AND 48
                THEN DATEDIFF(MINUTE, DATEADD(MINUTE, -15 * b.time_zone, b.backup_finish_date), GETUTCDATE())
                ELSE DATEDIFF(MINUTE, b.backup_finish_date, GETDATE()) END AS age_min,
           CASE WHEN EXISTS (SELECT 1 FROM msdb.dbo.backupmediafamily AS f
                             WHERE f.media_set_id = b.media_set_id AND f.physical_device_name IN ('NUL', 'NUL:'))
                THEN 1 ELSE 0 END AS thrown_away,
           CASE WHEN b.type <> 'I' OR b.differential_base_guid IS NULL THEN 1
                WHEN EXISTS (SELECT 1 FROM msdb.dbo.backupset AS f
                             WHERE f.backup_set_uuid = b.differential_base_guid AND f.type = 'D' AND f.is_damaged = 0
                               AND NOT EXISTS (SELECT 1 FROM msdb.dbo.backupmediafamily AS n
                                               WHERE n.media_set_id = f.media_set_id
                                                 AND n.physical_device_name IN ('NUL', 'NUL:')))
                THEN 1 ELSE 0 END AS has_base,
           b.backup_finish_date,
           b.backup_set_id
    FROM msdb.dbo.backupset AS b
    WHERE b.server_name = @@SERVERNAME
      AND b.type IN ('D', 'I', 'L')
      AND b.backup_finish_date >= DATEADD(DAY, -60, GETDATE())
), ranked AS (
    SELECT made.*,
           ROW_NUMBER() OVER (
               PARTITION BY made.database_name, made.family, made.type, made.is_damaged, made.thrown_away, made.has_base
               ORDER BY made.backup_finish_date DESC, made.backup_set_id DESC
           ) AS place
    FROM made
)
SELECT database_name AS name, type, family, is_damaged, is_copy_only, is_snapshot, has_checksums, age_min, thrown_away,
       has_base
FROM ranked
WHERE place = 1
ORDER BY database_name, type
