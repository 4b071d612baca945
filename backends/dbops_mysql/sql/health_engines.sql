-- Tables that no transaction protects, and those that cannot be opened. MySQL 8.0+, MariaDB 10.6+; a privilege on each
-- table (REFERENCES on all), else left out silently.
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS name, ENGINE AS engine, CASE WHEN ENGINE IS NULL THEN TABLE_COMMENT END AS unread
FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND (ENGINE IS NULL OR ENGINE IN ('MyISAM', 'Aria', 'MRG_MyISAM', 'CSV', 'ARCHIVE', 'MEMORY'))
  AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
ORDER BY TABLE_SCHEMA, TABLE_NAME
