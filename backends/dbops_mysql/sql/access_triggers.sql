-- MySQL 8.0+, MariaDB 10.6+, the privilege TRIGGER: triggers, and whose rights they run with.
SELECT TRIGGER_SCHEMA, TRIGGER_NAME, DEFINER
  FROM information_schema.TRIGGERS
 WHERE TRIGGER_SCHEMA <> 'sys'
 ORDER BY TRIGGER_SCHEMA, TRIGGER_NAME
