-- MySQL 8.0+, MariaDB 10.6+, any privilege on it: a row when there is a database of this name, and whether it holds the
-- table that a restore drops at its end.
SELECT EXISTS (SELECT 1 FROM information_schema.TABLES AS t WHERE t.TABLE_SCHEMA = s.SCHEMA_NAME AND t.TABLE_NAME = :mark)
FROM information_schema.SCHEMATA AS s
WHERE s.SCHEMA_NAME = :database
