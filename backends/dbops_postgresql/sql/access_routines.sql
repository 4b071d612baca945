-- 13+, no privilege: routines by signature. Of the system's own only those whose rights somebody changed.
SELECT p.oid::int8, p.pronamespace::int8, p.proname::text, pg_catalog.oidvectortypes(p.proargtypes),
       p.proowner::int8, p.proacl::text, p.prosecdef,
       EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) c WHERE c LIKE 'search\_path=%'),
       n.nspname IN ('pg_catalog', 'information_schema')
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast%'
  AND (n.nspname NOT IN ('pg_catalog', 'information_schema')
       OR p.proacl::text IS DISTINCT FROM (SELECT i.initprivs::text FROM pg_catalog.pg_init_privs i
                                           WHERE i.objoid = p.oid AND i.classoid = 'pg_catalog.pg_proc'::regclass))
ORDER BY n.nspname, p.proname, 4
