-- MySQL 8.0+, MariaDB 10.6+, any privilege on a database (SELECT or SHOW DATABASES on *.* for all): what CREATE DATABASE
-- has to say of each.
SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
FROM information_schema.SCHEMATA
WHERE SCHEMA_NAME NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
ORDER BY SCHEMA_NAME
