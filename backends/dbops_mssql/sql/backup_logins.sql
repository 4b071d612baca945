-- Logins as they are made again with their SIDs and hashes. SQL Server 2016+; needs CONTROL SERVER for the hashes.
SELECT p.name, p.type, p.is_disabled, p.default_database_name, CONVERT(varchar(172), p.sid, 1) AS sid,
       CONVERT(varchar(520), l.password_hash, 1) AS password_hash, l.is_policy_checked, l.is_expiration_checked
  FROM sys.server_principals AS p
  LEFT JOIN sys.sql_logins AS l ON l.principal_id = p.principal_id
 WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.name NOT LIKE '##%' AND p.principal_id > 1
 ORDER BY p.principal_id
