-- MySQL 8.0+, MariaDB 10.6+, an administrator: how large the shop is.
SELECT (SELECT CAST(SUM(DATA_LENGTH + INDEX_LENGTH) / 1000000 AS signed) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'warehouse')),
       (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'warehouse')),
       (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop'),
       (SELECT COUNT(*) FROM mysql.user)
