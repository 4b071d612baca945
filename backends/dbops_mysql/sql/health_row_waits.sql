-- Which session waits for a row lock that which other one holds. MySQL 8.0+; needs PROCESS and SELECT on performance_schema.
SELECT DISTINCT w.trx_mysql_thread_id AS waiting, h.trx_mysql_thread_id AS holding,
       CONCAT('`', REPLACE(l.OBJECT_SCHEMA, '`', '``'), '`.`', REPLACE(l.OBJECT_NAME, '`', '``'), '`') AS what
FROM performance_schema.data_lock_waits q
JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = q.REQUESTING_ENGINE_LOCK_ID AND l.ENGINE = q.ENGINE
JOIN information_schema.INNODB_TRX w ON w.trx_id = q.REQUESTING_ENGINE_TRANSACTION_ID
JOIN information_schema.INNODB_TRX h ON h.trx_id = q.BLOCKING_ENGINE_TRANSACTION_ID
