-- Who holds what the waiting sessions want. MySQL 8.0+, MariaDB 10.6+; SELECT on performance_schema. No row while
-- performance_schema or its instrument wait/lock/metadata/sql/mdl is off, as both are in MariaDB.
SELECT DISTINCT wt.PROCESSLIST_ID AS waiting, ht.PROCESSLIST_ID AS holding,
       CASE WHEN w.OBJECT_NAME IS NULL THEN COALESCE(w.OBJECT_SCHEMA, w.OBJECT_TYPE)
            ELSE CONCAT('`', REPLACE(w.OBJECT_SCHEMA, '`', '``'), '`.`', REPLACE(w.OBJECT_NAME, '`', '``'), '`') END AS what
FROM performance_schema.metadata_locks w
JOIN performance_schema.metadata_locks h
  ON h.OBJECT_TYPE = w.OBJECT_TYPE AND h.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA AND h.OBJECT_NAME <=> w.OBJECT_NAME
 AND h.LOCK_STATUS = 'GRANTED' AND h.OWNER_THREAD_ID <> w.OWNER_THREAD_ID
JOIN performance_schema.threads wt ON wt.THREAD_ID = w.OWNER_THREAD_ID
JOIN performance_schema.threads ht ON ht.THREAD_ID = h.OWNER_THREAD_ID
WHERE w.LOCK_STATUS = 'PENDING'
