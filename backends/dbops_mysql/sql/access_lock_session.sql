-- MySQL 8.0+, MariaDB 10.6+, no privilege: the lock is held by a session that waits while others work.
SET SESSION wait_timeout = 86400
