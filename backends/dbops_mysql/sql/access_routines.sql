-- MySQL 8.0+, the privilege SHOW_ROUTINE: procedures and functions, and whose rights they are run with.
SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DEFINER, SECURITY_TYPE = 'INVOKER' AS invoker
  FROM information_schema.ROUTINES
 WHERE ROUTINE_SCHEMA <> 'sys'
 ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME
