-- MySQL 8.0+, MariaDB 10.6+, no privilege.
SELECT UTC_TIMESTAMP(6)
