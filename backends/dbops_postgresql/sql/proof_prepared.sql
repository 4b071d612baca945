-- 13+, no privilege: prepared transactions of this database. Their locks outlive every session and every restart.
SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY prepared
