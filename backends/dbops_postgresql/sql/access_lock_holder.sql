-- 13+, no privilege (pg_read_all_stats shows more): whose session holds the lock of dbops users.
SELECT format('process %s of %s since %s', l.pid, coalesce(a.usename::text, 'an unknown role'), a.backend_start)
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::int8 << 32) + l.objid::int8 = 431148200051
