-- MySQL 8.0+, MariaDB 10.6+, SELECT on the tables: every table of a database, the smallest first. `loose`: its engine
-- has no transactions, so no snapshot holds it still.
SELECT t.TABLE_NAME AS name, t.TABLE_TYPE AS kind, COALESCE(e.TRANSACTIONS, 'NO') <> 'YES' AS loose,
       COALESCE(t.ENGINE, '') AS engine
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = :database AND t.TABLE_TYPE NOT LIKE '%VIEW'
ORDER BY COALESCE(t.DATA_LENGTH, 0), t.TABLE_NAME
