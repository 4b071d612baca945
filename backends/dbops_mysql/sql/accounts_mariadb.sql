-- MariaDB 10.6+, SELECT on mysql.user and mysql.roles_mapping: every account and role but the server's own; `admin` is one
-- who may grant the role (JSON of [user, host]).
SELECT u.User AS user, u.Host AS host, u.is_role AS role,
       COALESCE((SELECT JSON_ARRAY(m.User, m.Host) FROM mysql.roles_mapping m JOIN mysql.user a
                   ON a.User = m.User AND a.Host = m.Host AND a.is_role = 'N'
                 WHERE m.Role = u.User AND m.Admin_option = 'Y' ORDER BY m.User, m.Host LIMIT 1), '') AS admin,
       CASE WHEN u.default_role = '' THEN NULL ELSE JSON_ARRAY(JSON_ARRAY(u.default_role, '')) END AS roles,
       0 AS second
FROM mysql.user u
WHERE u.User <> 'mariadb.sys'
ORDER BY u.is_role, u.User, u.Host
