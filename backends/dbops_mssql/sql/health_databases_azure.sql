-- The database of this session: there is no other to ask in. Azure SQL Database; no privilege.
SELECT d.name, CASE WHEN HAS_DBACCESS(d.name) = 1 THEN NULL ELSE 'no_permission' END AS missing
FROM sys.databases AS d
WHERE d.name = DB_NAME()
