-- SQL Server 2016+, no privilege (public may read it).
SELECT name, CONVERT(int, value_in_use) AS value_in_use
FROM sys.configurations
WHERE name IN (N'cross db ownership chaining', N'contained database authentication', N'xp_cmdshell', N'clr enabled')
