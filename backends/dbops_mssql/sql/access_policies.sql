-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: tables with row-level security that is on.
SELECT DISTINCT r.target_object_id
FROM sys.security_predicates AS r
INNER JOIN sys.security_policies AS p ON p.object_id = r.object_id
WHERE p.is_enabled = 1
