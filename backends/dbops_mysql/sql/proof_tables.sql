-- MySQL 8.0+, MariaDB 10.6+, needs every privilege: tables that hold rows, those of the server itself too.
SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES
WHERE TABLE_TYPE NOT LIKE '%VIEW' AND TABLE_TYPE <> 'TEMPORARY'
  AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema') ORDER BY 1, 2
