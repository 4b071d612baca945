-- SQL Server 2016 to 2025 and Azure SQL; needs no privilege.
-- Every property is of the type sql_variant, which drivers do not read: each is converted.
SELECT
    CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS product_version,
    CONVERT(nvarchar(128), SERVERPROPERTY('Edition')) AS edition,
    CONVERT(int, SERVERPROPERTY('EngineEdition')) AS engine_edition,
    CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')) AS server_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('MachineName')) AS machine_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('Collation')) AS collation,
    CONVERT(int, SERVERPROPERTY('IsHadrEnabled')) AS hadr_enabled,
    CONVERT(int, SERVERPROPERTY('IsIntegratedSecurityOnly')) AS windows_logins_only,
    CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Collation')) AS database_collation,
    CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')) AS updateability,
    DB_ID(N'rdsadmin') AS rds_database,
    SUSER_SNAME() AS login_name,
    DB_NAME() AS database_name,
    IS_SRVROLEMEMBER(N'sysadmin') AS sysadmin
