-- MySQL 8.0.17+, SELECT on performance_schema: where the log of the original stood, as a cloned copy knows it.
SELECT BINLOG_FILE, BINLOG_POSITION, GTID_EXECUTED FROM performance_schema.clone_status WHERE STATE = 'Completed'
