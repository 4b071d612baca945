-- MariaDB 10.6+, the privilege TRIGGER: every trigger, whose text SHOW CREATE TRIGGER has as somebody wrote it.
SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN ('mysql', 'sys')
