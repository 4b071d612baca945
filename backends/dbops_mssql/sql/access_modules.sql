-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: code that runs as somebody else.
SELECT object_id, execute_as_principal_id
FROM sys.sql_modules
WHERE execute_as_principal_id IS NOT NULL
