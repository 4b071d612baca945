-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database.
SELECT schema_id, name, principal_id
FROM sys.schemas
ORDER BY schema_id
