-- 13+, no privilege: bytes of WAL ever written (a standby: replayed), and when this was asked, in seconds.
SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::int8 AS bytes,
       extract(epoch FROM pg_catalog.clock_timestamp())::float8 AS at
