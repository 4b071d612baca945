-- MySQL 8.0+, BACKUP_ADMIN and SELECT on performance_schema.log_status: where the binary log and InnoDB's log stand, all
-- at one moment.
SELECT CAST(LOCAL AS CHAR) AS binlog, CAST(STORAGE_ENGINES AS CHAR) AS engines FROM performance_schema.log_status
