-- MariaDB 10.6+, SELECT on mysql.user: every account and role but the server's own; `roles`: its default role (JSON).
SELECT u.User AS user, u.Host AS host, u.is_role AS role,
       CASE WHEN u.default_role = '' THEN NULL ELSE JSON_ARRAY(JSON_ARRAY(u.default_role, '')) END AS roles,
       0 AS second
FROM mysql.user u
WHERE u.User <> 'mariadb.sys'
ORDER BY u.is_role, u.User, u.Host
