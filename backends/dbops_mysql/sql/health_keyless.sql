-- Tables without a primary key, and without a unique one that has no NULL, which serves as well. MySQL 8.0+, MariaDB
-- 10.6+; a privilege on each table (REFERENCES on all), else left out silently.
SELECT t.TABLE_SCHEMA AS `schema`, t.TABLE_NAME AS name, t.ENGINE AS engine,
       CASE WHEN t.ENGINE IS NULL THEN t.TABLE_COMMENT WHEN k.TABLE_NAME IS NULL THEN 'its columns were not read' END AS unread
FROM information_schema.TABLES t
LEFT JOIN (
  SELECT TABLE_SCHEMA, TABLE_NAME, MAX(COLUMN_KEY = 'PRI') AS keyed
  FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
  GROUP BY TABLE_SCHEMA, TABLE_NAME
) k ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_TYPE = 'BASE TABLE' AND COALESCE(k.keyed, 0) = 0
  AND t.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME
