-- When DBCC CHECKDB last found each database whole. SQL Server 2016 SP2+, 2017 CU9+; VIEW ANY DATABASE, which public
-- has. 1900-01-01: never. NULL: the database is not open, or this login may not see it.
SELECT d.name,
       DATEDIFF(DAY, '19000101', CONVERT(datetime, DATABASEPROPERTYEX(d.name, 'LastGoodCheckDbTime'))) AS since_1900_d,
       DATEDIFF(MINUTE, CONVERT(datetime, DATABASEPROPERTYEX(d.name, 'LastGoodCheckDbTime')), GETDATE()) AS age_min
FROM sys.databases AS d
WHERE d.state = 0 AND d.source_database_id IS NULL AND d.name <> 'tempdb'
ORDER BY d.name
