-- MySQL 8.0+, MariaDB 10.6+, the privilege PROCESS (own sessions alone without): statements that have run for two seconds,
-- the longest first. A lock on all tables would wait for them, and everybody else for the lock.
SELECT ID AS id, USER AS user, COALESCE(HOST, '') AS host, CAST(TIME AS SIGNED) AS seconds, COALESCE(STATE, '') AS state
FROM information_schema.PROCESSLIST
WHERE COMMAND IN ('Query', 'Execute', 'Fetch') AND TIME >= 2 AND ID <> CONNECTION_ID()
  AND USER NOT IN ('system user', 'event_scheduler')
ORDER BY TIME DESC
