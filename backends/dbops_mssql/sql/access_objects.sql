-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database.
SELECT object_id, schema_id, name, type, principal_id, is_ms_shipped
FROM sys.objects
WHERE parent_object_id = 0
ORDER BY object_id
