-- MySQL 8.0+, MariaDB 10.6+, no privilege: the number of the session that has the lock.
SELECT IS_USED_LOCK('dbops.users')
