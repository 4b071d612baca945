-- 13+, a superuser: databases that accept connections, and the collation version each was sorted by and would be now.
SELECT d.datname::text AS name, coalesce(pg_catalog.to_jsonb(d) ->> 'datcollversion', '') AS recorded
FROM pg_catalog.pg_database d WHERE d.datallowconn AND d.datconnlimit <> -2 ORDER BY d.datname
