-- MySQL 8.0+, MariaDB 10.6+, any privilege on the tables: tables, views and sequences of all databases.
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'sys')
 ORDER BY TABLE_SCHEMA, TABLE_NAME
