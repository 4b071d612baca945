-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.user: accounts and roles, without the one that a proof makes for itself.
SELECT User AS `user`, Host AS `host` FROM mysql.user WHERE User NOT LIKE 'dbops!_proof!_%' ESCAPE '!' ORDER BY 1, 2
