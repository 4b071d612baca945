-- MariaDB 10.6+, SELECT on mysql.event: events, and whose rights they run with.
SELECT db, name, definer
  FROM mysql.event
 ORDER BY db, name
