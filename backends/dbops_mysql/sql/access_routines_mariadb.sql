-- MariaDB 10.6+, SELECT on mysql.proc: procedures, functions and packages, and whose rights they are run with.
SELECT db, name, type, definer, security_type = 'INVOKER' AS invoker
  FROM mysql.proc
 WHERE db <> 'sys'
 ORDER BY db, name
