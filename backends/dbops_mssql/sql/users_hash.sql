-- What is stored of a login's password. SQL Server 2016+; CONTROL SERVER (2022: VIEW ANY CRYPTOGRAPHICALLY SECURED
-- DEFINITION), without which it is NULL.
SELECT CONVERT(varchar(514), l.password_hash, 1) AS password_hash
FROM sys.sql_logins AS l
WHERE l.name = %(login)s
