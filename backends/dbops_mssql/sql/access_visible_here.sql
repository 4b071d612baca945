-- SQL Server 2016+, Azure SQL. No privilege: what this login is shown of the database. NULL is
-- the database of the session, by whatever name: a name would be parsed as one part or several.
SELECT HAS_PERMS_BY_NAME(NULL, N'DATABASE', N'VIEW DEFINITION') AS definitions
