-- MySQL 8.0+, MariaDB 10.6+, no privilege: what the session may do, active roles included.
SHOW GRANTS
