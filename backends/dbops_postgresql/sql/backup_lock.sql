-- 10+, no privilege: takes an advisory lock until the session ends, or says at once that somebody has it.
SELECT pg_catalog.pg_try_advisory_lock(%(key)s)
