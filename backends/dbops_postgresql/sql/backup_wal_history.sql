-- 14+, no privilege: bytes of WAL since the statistics were reset, and for how many seconds that has been.
SELECT wal_bytes::float8 AS bytes, extract(epoch FROM pg_catalog.clock_timestamp() - stats_reset)::float8 AS seconds
FROM pg_catalog.pg_stat_wal
