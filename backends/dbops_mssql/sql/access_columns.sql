-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: columns that have rights of their own.
SELECT DISTINCT c.object_id, c.column_id, c.name
FROM sys.database_permissions AS p
INNER JOIN sys.columns AS c ON c.object_id = p.major_id AND c.column_id = p.minor_id
WHERE p.class = 1 AND p.major_id > 0 AND p.minor_id > 0
