-- SQL Server 2016+, Azure SQL. VIEW ANY DATABASE (public has it) shows all of them.
SELECT name, owner_sid, state, is_trustworthy_on, is_db_chaining_on, containment, HAS_DBACCESS(name) AS access
FROM sys.databases
ORDER BY name
