-- SQL Server 2016+. VIEW ANY DEFINITION shows all of them.
SELECT endpoint_id, name, principal_id
FROM sys.endpoints
