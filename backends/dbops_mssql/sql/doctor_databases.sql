-- SQL Server 2016+; VIEW ANY DATABASE (public has it) shows all of them. Nobody works in model (3).
SELECT
    name,
    COALESCE(HAS_DBACCESS(name), 0) AS enters
FROM sys.databases
WHERE
    state = 0
    AND database_id <> 3
ORDER BY name
