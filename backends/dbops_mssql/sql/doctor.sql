-- SQL Server 2016+, Azure SQL; needs no privilege.
-- A right that the release does not know is NULL, and the one that held all of it before is asked instead.
SELECT
    SYSUTCDATETIME() AS clock,
    CONVERT(nvarchar(40), CONNECTIONPROPERTY('auth_scheme')) AS auth_scheme,
    CONVERT(int, LOGINPROPERTY(SUSER_SNAME(), 'DaysUntilExpiration')) AS days_left,
    COALESCE(
        HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE'),
        HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'),
        0
    ) AS sees_state,
    COALESCE(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION'), 0) AS sees_definitions,
    COALESCE(HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DATABASE STATE'), 0) AS sees_database_state,
    COALESCE(HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DEFINITION'), 0) AS sees_database_definitions,
    COALESCE(HAS_DBACCESS('msdb'), 0) AS enters_msdb
