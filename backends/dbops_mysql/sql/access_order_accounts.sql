-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.*: accounts in the order in which the server tries them; unsorted on purpose.
SELECT GRANTEE
  FROM information_schema.USER_PRIVILEGES
