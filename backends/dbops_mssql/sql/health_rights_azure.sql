-- What this user may see of its database. Azure SQL Database; no privilege. Rights on the server cannot be asked for
-- there, and everybody sees master and the database of the session, which are all that concern it.
SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DATABASE STATE') AS server_state,
       HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DATABASE PERFORMANCE STATE') AS performance_state,
       1 AS any_database,
       HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DEFINITION') AS any_definition
