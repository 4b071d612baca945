-- MySQL 8.0+, MariaDB 10.6+, no privilege: storage engines that can be used.
SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')
