-- 13+, no privilege: every role. Infinite and out-of-range ends of validity come as NULL or as the first year.
SELECT r.oid::int8, r.rolname::text,
       r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls,
       r.rolconnlimit,
       CASE WHEN r.rolvaliduntil < '9999-01-01' THEN greatest(r.rolvaliduntil, '0001-01-02 00:00:00+00') END,
       r.rolconfig::text[]
FROM pg_catalog.pg_roles r
ORDER BY r.rolname
