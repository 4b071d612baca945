-- Settings of the whole server, which feed many checks. MySQL 8.0+, MariaDB 10.6+; no privilege.
SHOW GLOBAL VARIABLES
