-- 13+, no privilege: take the lock of dbops users, or answer false at once. The number is "dbops" in ASCII.
SELECT pg_catalog.pg_try_advisory_lock(431148200051)
