-- MariaDB 10.6+, SELECT on mysql.global_priv: accounts and roles, what they hold and how they log in; any stored
-- password is replaced before it leaves the server.
SELECT User, Host,
       REGEXP_REPLACE(Priv, '("authentication_string": *)"([^"\\]|\\.)+"', '\1"*"') AS priv
  FROM mysql.global_priv
 ORDER BY Host, User
