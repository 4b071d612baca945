-- SQL Server 2016+, Azure SQL. No privilege: what this login is shown of the database.
SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION') AS definitions
