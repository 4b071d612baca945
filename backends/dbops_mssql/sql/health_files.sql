-- The data files of this database, by filegroup. SQL Server 2016+, Azure SQL Database; no privilege but a way in.
-- Sizes in pages of 8 KiB; max_pages: -1 as far as the volume goes, 0 no growth.
SELECT f.file_id, f.name, f.size AS pages, f.max_size AS max_pages, f.growth, f.data_space_id AS filegroup_id,
       s.name AS filegroup, CONVERT(int, FILEPROPERTY(f.name, 'SpaceUsed')) AS used_pages,
       CONVERT(int, s.is_read_only) AS is_read_only, f.state_desc AS state
FROM sys.database_files AS f
LEFT JOIN sys.filegroups AS s ON s.data_space_id = f.data_space_id
WHERE f.type = 0
ORDER BY f.file_id
