-- MySQL 8.0+, MariaDB 10.6+, privileges on what is to be counted: objects by kind and database.
SELECT CASE WHEN TABLE_TYPE LIKE '%VIEW' THEN 'views' ELSE 'tables' END AS kind, TABLE_SCHEMA AS name,
       COUNT(*) AS objects
FROM information_schema.TABLES
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') GROUP BY 1, 2
UNION ALL
SELECT 'routines', ROUTINE_SCHEMA, COUNT(*) FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') GROUP BY 2
UNION ALL
SELECT 'triggers', TRIGGER_SCHEMA, COUNT(*) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') GROUP BY 2
UNION ALL
SELECT 'events', EVENT_SCHEMA, COUNT(*) FROM information_schema.EVENTS
WHERE EVENT_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') GROUP BY 2
