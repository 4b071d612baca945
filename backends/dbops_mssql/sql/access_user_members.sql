-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database (2022: VIEW SECURITY DEFINITION).
SELECT role_principal_id, member_principal_id
FROM sys.database_role_members
ORDER BY role_principal_id, member_principal_id
