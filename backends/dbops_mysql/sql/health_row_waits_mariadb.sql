-- Which session waits for a row lock that which other one holds. MariaDB 10.6+; needs PROCESS.
SELECT DISTINCT w.trx_mysql_thread_id AS waiting, h.trx_mysql_thread_id AS holding, l.lock_table AS what
FROM information_schema.INNODB_LOCK_WAITS q
JOIN information_schema.INNODB_LOCKS l ON l.lock_id = q.requested_lock_id
JOIN information_schema.INNODB_TRX w ON w.trx_id = q.requesting_trx_id
JOIN information_schema.INNODB_TRX h ON h.trx_id = q.blocking_trx_id
