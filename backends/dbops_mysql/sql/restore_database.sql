-- MySQL 8.0+, MariaDB 10.6+, any privilege on it: a row when there is a database of this name.
SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = :database
