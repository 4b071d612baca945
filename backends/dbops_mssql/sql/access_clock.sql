-- SQL Server 2016 and later, Azure SQL. No privilege.
SELECT SYSUTCDATETIME() AS taken_at
