-- MySQL 8.0+, MariaDB 10.6+, any privilege on a table: columns of the type FLOAT, which a dump rounds to six digits.
SELECT TABLE_SCHEMA AS name, COUNT(*) AS columns_
FROM information_schema.COLUMNS
WHERE DATA_TYPE = 'float' AND NUMERIC_SCALE IS NULL
  AND TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
GROUP BY TABLE_SCHEMA
