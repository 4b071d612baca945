-- SQL Server 2016+, Azure SQL. No privilege.
SELECT SYSUTCDATETIME() AS taken_at
