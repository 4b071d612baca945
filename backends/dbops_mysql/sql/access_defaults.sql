-- MySQL 8.0+, SELECT on mysql.default_roles: roles that a session begins with.
SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST
  FROM mysql.default_roles
 ORDER BY HOST, USER
