-- What time it is there, from where we come, and whether others could listen. MySQL 8.0+, MariaDB 10.6+; no privilege.
SELECT UTC_TIMESTAMP(6) AS clock, SUBSTRING_INDEX(USER(), '@', -1) AS host
