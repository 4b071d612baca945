-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.proxies_priv: who may be taken for whom.
SELECT User, Host, Proxied_user, Proxied_host, With_grant
  FROM mysql.proxies_priv
 ORDER BY Host, User
