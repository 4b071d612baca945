-- SQL Server 2016+. VIEW ANY DEFINITION (2022: VIEW ANY SECURITY DEFINITION) shows all of them.
SELECT class, major_id, grantee_principal_id, grantor_principal_id, permission_name, state
FROM sys.server_permissions
