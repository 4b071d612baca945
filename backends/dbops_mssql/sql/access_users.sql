-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database (2022: VIEW SECURITY DEFINITION).
SELECT
    principal_id,
    name,
    type,
    sid,
    owning_principal_id,
    is_fixed_role,
    authentication_type,
    default_schema_name,
    default_language_name
FROM sys.database_principals
ORDER BY principal_id
