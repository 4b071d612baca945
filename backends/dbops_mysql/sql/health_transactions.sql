-- Open transactions, who holds them and which of them wait for a row lock. MySQL 8.0+, MariaDB 10.6+; needs PROCESS.
-- InnoDB writes these times in the time zone of the machine, whatever that of the session is. A transaction without a
-- session (id 0) was prepared by XA and left.
SELECT t.trx_mysql_thread_id AS id, p.USER AS user, p.HOST AS host, p.DB AS db, p.COMMAND AS command,
       p.TIME AS state_s, t.trx_state AS state, t.trx_rows_locked AS rows_locked, t.trx_rows_modified AS rows_modified,
       TIMESTAMPDIFF(SECOND, t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS age_s,
       TIMESTAMPDIFF(SECOND, t.trx_wait_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS wait_s
FROM information_schema.INNODB_TRX t
LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
WHERE t.trx_mysql_thread_id <> CONNECTION_ID()
ORDER BY t.trx_started
