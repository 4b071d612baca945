-- MySQL 8.0.30+, MariaDB 10.6+, no privilege: how far InnoDB's log has come. Older servers give no row.
SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_lsn_current', 'Innodb_redo_log_current_lsn')
