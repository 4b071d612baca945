-- The next value of every auto_increment. MySQL 8.0+; a privilege on each table (REFERENCES on all), else left out
-- silently. Only tables that have one are opened; one that could not be, behind somebody's lock, has no size, and its
-- comment says why. Sessions of dbops ask for values of now, not for those of yesterday that the server would keep.
SELECT STRAIGHT_JOIN c.TABLE_SCHEMA AS `schema`, c.TABLE_NAME AS name, c.COLUMN_NAME AS `column`, c.DATA_TYPE AS type,
       c.COLUMN_TYPE LIKE '%unsigned%' AS is_unsigned, t.AUTO_INCREMENT AS next_value,
       CASE WHEN t.ENGINE = 'InnoDB' AND t.DATA_LENGTH = 0 THEN COALESCE(NULLIF(t.TABLE_COMMENT, ''), 'not read') END AS unread
FROM information_schema.COLUMNS c
JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
WHERE c.EXTRA LIKE '%auto_increment%' AND c.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
