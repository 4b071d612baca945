-- MySQL 8.0+, MariaDB 10.6+, SELECT on the tables: those of a database that hold rows.
SELECT TABLE_NAME FROM information_schema.TABLES
WHERE TABLE_SCHEMA = :database AND TABLE_TYPE NOT LIKE '%VIEW' AND TABLE_TYPE <> 'SEQUENCE' ORDER BY 1
