-- MySQL 8.0+, MariaDB 10.6+, SELECT on the tables: the columns of a database in their order; those that are computed
-- when they are read hold nothing. `period`: when a row of a versioned table was true.
SELECT TABLE_NAME AS tab, COLUMN_NAME AS name, DATA_TYPE AS type, IS_NULLABLE AS nullable,
       COALESCE(CHARACTER_SET_NAME, '') AS charset, COALESCE(COLLATION_NAME, '') AS collation,
       COALESCE(CHARACTER_OCTET_LENGTH, 0) AS octets,
       COALESCE(GENERATION_EXPRESSION, '') IN ('ROW START', 'ROW END') AS period
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = :database AND EXTRA NOT LIKE '%VIRTUAL%'
ORDER BY TABLE_NAME, ORDINAL_POSITION
