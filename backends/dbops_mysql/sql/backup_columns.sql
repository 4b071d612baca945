-- MySQL 8.0+, MariaDB 10.6+, any privilege on a table: columns that a dump does not bring back as they are. FLOAT is
-- rounded to six digits (`floats`); the history of a table that is versioned by transactions is left out (`precise`).
SELECT TABLE_SCHEMA AS name,
       CAST(SUM(DATA_TYPE = 'float' AND NUMERIC_SCALE IS NULL) AS UNSIGNED) AS floats,
       CAST(SUM(DATA_TYPE = 'bigint' AND GENERATION_EXPRESSION = 'ROW START') AS UNSIGNED) AS precise_
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
  AND (DATA_TYPE = 'float' OR GENERATION_EXPRESSION = 'ROW START')
GROUP BY TABLE_SCHEMA
