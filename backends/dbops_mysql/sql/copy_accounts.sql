-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.user: accounts and roles.
SELECT User AS user, Host AS host FROM mysql.user ORDER BY 1, 2
