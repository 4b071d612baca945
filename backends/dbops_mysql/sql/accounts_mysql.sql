-- MySQL 8.0+, SELECT on mysql.user and mysql.default_roles: every account but the server's own; `roles` are its default
-- roles (JSON of [user, host]); `second`: it has two passwords.
SELECT u.User AS user, u.Host AS host, 'N' AS role,
       (SELECT JSON_ARRAYAGG(JSON_ARRAY(d.DEFAULT_ROLE_USER, d.DEFAULT_ROLE_HOST)) FROM mysql.default_roles d
         WHERE d.USER = u.User AND d.HOST = u.Host) AS roles,
       JSON_CONTAINS_PATH(COALESCE(u.User_attributes, '{}'), 'one', '$.additional_password') AS second
FROM mysql.user u
WHERE u.User NOT IN ('mysql.infoschema', 'mysql.session', 'mysql.sys')
ORDER BY u.User, u.Host
