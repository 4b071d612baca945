-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.*: rights on databases in the order in which the server tries them; unsorted
-- on purpose.
SELECT GRANTEE, TABLE_SCHEMA
  FROM information_schema.SCHEMA_PRIVILEGES
