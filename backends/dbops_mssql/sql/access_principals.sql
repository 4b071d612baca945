-- SQL Server 2016+. VIEW ANY DEFINITION (2022: VIEW ANY SECURITY DEFINITION) shows all of them; stored passwords
-- (CONTROL SERVER) are only compared, on the server, with nothing and with the name: they never leave it.
SELECT
    p.principal_id,
    p.name,
    p.type,
    p.sid,
    p.is_disabled,
    p.is_fixed_role,
    p.owning_principal_id,
    p.default_database_name,
    l.is_policy_checked,
    l.is_expiration_checked,
    CASE
        WHEN l.principal_id IS NULL THEN NULL
        WHEN l.password_hash IS NULL THEN N'unknown'
        WHEN PWDCOMPARE(N'', l.password_hash) = 1 THEN N'blank'
        WHEN PWDCOMPARE(l.name, l.password_hash) = 1 THEN N'name'
        ELSE N'stored'
    END AS password
FROM sys.server_principals AS p
LEFT JOIN sys.sql_logins AS l ON l.principal_id = p.principal_id
ORDER BY p.principal_id
