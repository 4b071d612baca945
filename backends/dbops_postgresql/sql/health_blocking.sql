-- Who waits for a lock, who holds it up, and since when. PostgreSQL 13+ (waitstart: 14+); pg_monitor for names.
-- pg_blocking_pids() stops the lock manager for a moment: it is called for those alone that wait.
WITH waiting AS MATERIALIZED (
  SELECT DISTINCT ON (l.pid) l.pid, l.mode, l.locktype, (to_jsonb(l) ->> 'waitstart')::timestamptz AS waitstart,
         CASE WHEN l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              THEN l.relation::regclass::text END AS relation
  FROM pg_locks l
  WHERE NOT l.granted AND l.pid IS NOT NULL
  ORDER BY l.pid
), blocked AS MATERIALIZED (
  SELECT w.*, pg_blocking_pids(w.pid) AS blockers FROM waiting w
)
SELECT a.pid, a.datname AS database, a.usename AS role, a.application_name AS application, a.state,
       COALESCE(b.blockers, '{}') AS blockers, b.mode, b.locktype, b.relation,
       EXTRACT(epoch FROM clock_timestamp() - COALESCE(b.waitstart, a.query_start))::float8 AS wait_s,
       EXTRACT(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s
FROM pg_stat_activity a LEFT JOIN blocked b USING (pid)
WHERE b.pid IS NOT NULL OR a.pid IN (SELECT unnest(blockers) FROM blocked)
ORDER BY a.pid
