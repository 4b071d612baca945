-- SQL Server 2016+; VIEW ANY DEFINITION shows the files of every database.
SELECT SUM(CONVERT(bigint, size)) * 8192 AS data_bytes
FROM sys.master_files
WHERE type = 0
