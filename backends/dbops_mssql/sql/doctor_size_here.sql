-- SQL Server 2016+, Azure SQL; needs no privilege but to be in the database.
SELECT SUM(CONVERT(bigint, size)) * 8192 AS data_bytes
FROM sys.database_files
WHERE type = 0
