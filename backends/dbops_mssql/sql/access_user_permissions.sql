-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database (2022: VIEW SECURITY DEFINITION).
-- What comes with the server has negative numbers and thousands of rows for public; extended procedures are asked apart.
SELECT class, major_id, minor_id, grantee_principal_id, grantor_principal_id, permission_name, state
FROM sys.database_permissions
WHERE major_id >= 0
