-- The next value of every auto_increment. MariaDB 10.6+; a privilege on each table (REFERENCES on all), else left out
-- silently. Every table is opened; of one that could not be, behind somebody's lock, engine or column are missing.
-- A table has one such column at most: it is grouped so that MariaDB joins by a key, and not each with each.
SELECT t.TABLE_SCHEMA AS `schema`, t.TABLE_NAME AS name, c.name AS `column`, c.type, c.is_unsigned,
       t.AUTO_INCREMENT AS next_value,
       CASE WHEN t.ENGINE IS NULL THEN COALESCE(NULLIF(t.TABLE_COMMENT, ''), 'not read')
            WHEN c.name IS NULL THEN 'its columns were not read' END AS unread
FROM information_schema.TABLES t
LEFT JOIN (
  SELECT TABLE_SCHEMA, TABLE_NAME, MAX(COLUMN_NAME) AS name, MAX(DATA_TYPE) AS type,
         MAX(COLUMN_TYPE LIKE '%unsigned%') AS is_unsigned
  FROM information_schema.COLUMNS
  WHERE EXTRA LIKE '%auto_increment%'
    AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
  GROUP BY TABLE_SCHEMA, TABLE_NAME
) c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_TYPE = 'BASE TABLE' AND (t.AUTO_INCREMENT IS NOT NULL OR t.ENGINE IS NULL)
  AND t.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
