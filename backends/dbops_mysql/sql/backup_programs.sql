-- MySQL 8.0+, MariaDB 10.6+, SHOW_ROUTINE or SELECT, TRIGGER and EVENT (what a login may not see is not counted): stored
-- programs by database; `hidden` of them show their name alone.
SELECT ROUTINE_SCHEMA AS name, 'routine' AS kind, COUNT(*) AS programs,
       CAST(SUM(ROUTINE_DEFINITION IS NULL AND ROUTINE_BODY = 'SQL') AS UNSIGNED) AS hidden
FROM information_schema.ROUTINES GROUP BY ROUTINE_SCHEMA
UNION ALL
SELECT TRIGGER_SCHEMA, 'trigger', COUNT(*), 0 FROM information_schema.TRIGGERS GROUP BY TRIGGER_SCHEMA
UNION ALL
SELECT EVENT_SCHEMA, 'event', COUNT(*), 0 FROM information_schema.EVENTS GROUP BY EVENT_SCHEMA
