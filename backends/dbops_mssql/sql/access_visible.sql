-- SQL Server 2016+. No privilege: what this login is shown of others.
SELECT
    HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS definitions,
    HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LINKED SERVER') AS linked_servers,
    HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LOGIN') AS logins
