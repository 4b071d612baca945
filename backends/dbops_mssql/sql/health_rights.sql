-- What this login may see of the server; without it views show fewer rows and say nothing. SQL Server 2016+; no
-- privilege. NULL: a version that does not know the right.
SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS server_state,
       HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS performance_state,
       HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DATABASE') AS any_database,
       HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS any_definition
