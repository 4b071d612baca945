-- MySQL 8.0+, MariaDB 10.6+, the privilege SHOW VIEW: views, whose rights they are checked with, and what they are made of.
SELECT TABLE_SCHEMA, TABLE_NAME, DEFINER, SECURITY_TYPE = 'INVOKER' AS invoker, VIEW_DEFINITION
  FROM information_schema.VIEWS
 WHERE TABLE_SCHEMA <> 'sys'
 ORDER BY TABLE_SCHEMA, TABLE_NAME
