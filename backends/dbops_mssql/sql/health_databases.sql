-- Which databases there are to ask in, and why this login cannot. SQL Server 2016+; VIEW ANY DATABASE, which public
-- has. Left out: snapshots, tempdb, and copies that a primary replica keeps; what is not online is another check's.
SELECT d.name,
       CASE WHEN HAS_DBACCESS(d.name) = 1 THEN NULL ELSE 'no_permission' END AS missing
FROM sys.databases AS d
WHERE d.state = 0
  AND d.source_database_id IS NULL
  AND d.name <> 'tempdb'
  AND (d.replica_id IS NULL OR CONVERT(nvarchar(60), DATABASEPROPERTYEX(d.name, 'Updateability')) = 'READ_WRITE')
ORDER BY d.name
