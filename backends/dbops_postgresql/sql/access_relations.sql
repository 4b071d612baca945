-- 13+, no privilege: tables, views and sequences. Of the system's own only those whose rights somebody changed.
SELECT c.oid::int8, c.relnamespace::int8, c.relname::text, c.relkind::text, c.relowner::int8, c.relacl::text,
       c.relrowsecurity, c.relforcerowsecurity,
       c.relrowsecurity AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid),
       coalesce((SELECT o.option_value::bool FROM pg_catalog.pg_options_to_table(c.reloptions) o
                 WHERE o.option_name = 'security_invoker'), false),
       c.relpersistence = 't' OR n.nspname IN ('pg_catalog', 'information_schema'), n.nspname = 'pg_catalog'
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast%'
  AND (n.nspname NOT IN ('pg_catalog', 'information_schema')
       OR n.nspname = 'information_schema'
          AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee NOT IN (0, c.relowner))
       OR n.nspname = 'pg_catalog' AND c.relacl::text IS DISTINCT FROM (SELECT i.initprivs::text FROM pg_catalog.pg_init_privs i
                                           WHERE i.objoid = c.oid AND i.classoid = 'pg_catalog.pg_class'::regclass
                                             AND i.objsubid = 0))
ORDER BY n.nspname, c.relname
