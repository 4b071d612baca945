-- Old row versions that purge has not removed yet. MySQL 8.0+; needs PROCESS. MariaDB tells it among the counters.
SELECT COUNT AS length, STATUS AS status FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'
