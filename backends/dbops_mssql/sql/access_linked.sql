-- SQL Server 2016+, Managed Instance. One's own and everybody's without a privilege, those of other logins with the
-- privilege ALTER ANY LINKED SERVER or ALTER ANY LOGIN: who is somebody given on a linked server, with a stored password
-- (0: everybody who has no mapping of his own).
SELECT s.name, l.local_principal_id, l.remote_name
FROM sys.linked_logins AS l
INNER JOIN sys.servers AS s ON s.server_id = l.server_id
WHERE s.is_linked = 1 AND l.uses_self_credential = 0 AND l.remote_name IS NOT NULL
ORDER BY s.name, l.local_principal_id
