-- MySQL 8.0+, MariaDB 10.6+, SELECT on mysql.user: definers of what a database has stored, without an account of theirs.
SELECT d.definer, COUNT(*)
FROM (SELECT DEFINER AS definer FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = :database
      UNION ALL SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = :database
      UNION ALL SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = :database
      UNION ALL SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = :database) d
WHERE NOT EXISTS (SELECT 1 FROM mysql.user u
                  WHERE CAST(CONCAT(u.User, '@', u.Host) AS BINARY) = CAST(d.definer AS BINARY)
                     OR (u.Host = '' AND CAST(u.User AS BINARY) = CAST(d.definer AS BINARY)))
GROUP BY d.definer ORDER BY 1
