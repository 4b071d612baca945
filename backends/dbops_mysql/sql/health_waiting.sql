-- Sessions that wait for a metadata, table or global lock. MySQL 8.0+, MariaDB 10.6+; needs PROCESS, else one's own alone,
-- silently.
SELECT ID AS id, USER AS user, HOST AS host, DB AS db, COMMAND AS command, TIME AS wait_s, STATE AS state
FROM information_schema.PROCESSLIST
WHERE (STATE LIKE 'Waiting for % lock' OR STATE = 'Waiting for table flush') AND ID <> CONNECTION_ID()
ORDER BY TIME DESC
