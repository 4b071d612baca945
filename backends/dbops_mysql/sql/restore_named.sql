-- MySQL 8.0+, MariaDB 10.6+, SHOW_ROUTINE or SELECT, TRIGGER and EVENT: how many stored programs and views of a database
-- name another database.
SELECT (SELECT COUNT(*) FROM information_schema.ROUTINES
         WHERE ROUTINE_SCHEMA = :database AND LOCATE(:other, REPLACE(ROUTINE_DEFINITION, '`', '')) > 0)
     + (SELECT COUNT(*) FROM information_schema.TRIGGERS
         WHERE TRIGGER_SCHEMA = :database AND LOCATE(:other, REPLACE(ACTION_STATEMENT, '`', '')) > 0)
     + (SELECT COUNT(*) FROM information_schema.EVENTS
         WHERE EVENT_SCHEMA = :database AND LOCATE(:other, REPLACE(EVENT_DEFINITION, '`', '')) > 0)
