-- SQL Server 2016+, in master. VIEW DEFINITION on master: who may run extended stored procedures.
SELECT o.object_id, s.name AS schema_name, o.name, p.grantee_principal_id, p.grantor_principal_id, p.permission_name, p.state
FROM sys.database_permissions AS p
INNER JOIN sys.all_objects AS o ON o.object_id = p.major_id
INNER JOIN sys.schemas AS s ON s.schema_id = o.schema_id
WHERE p.class = 1 AND p.major_id < 0 AND o.type = 'X'
ORDER BY o.name
