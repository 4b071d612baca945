-- MySQL 8.0+, MariaDB 10.6+, no privilege: the server's time, in UTC whatever the session's time zone is.
SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f+00:00')
