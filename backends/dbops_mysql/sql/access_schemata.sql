-- MySQL 8.0+, MariaDB 10.6+, the privilege SHOW DATABASES: names of databases; without it those with any grant.
SELECT SCHEMA_NAME
  FROM information_schema.SCHEMATA
 ORDER BY SCHEMA_NAME
