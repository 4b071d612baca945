-- MySQL 8.0+, any privilege on a table: tables with content that CLONE leaves empty, since it copies InnoDB alone.
-- https://dev.mysql.com/doc/refman/9.4/en/clone-plugin-limitations.html
SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
  AND ENGINE NOT IN ('InnoDB', 'BLACKHOLE', 'FEDERATED', 'MEMORY', 'ndbcluster')
ORDER BY 1
