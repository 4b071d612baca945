-- SQL Server 2016+. VIEW ANY DEFINITION (2022: VIEW ANY SECURITY DEFINITION) shows all of them.
SELECT role_principal_id, member_principal_id
FROM sys.server_role_members
ORDER BY role_principal_id, member_principal_id
