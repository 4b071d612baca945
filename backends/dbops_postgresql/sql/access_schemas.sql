-- 13+, no privilege: schemas but those of temporary and toast tables.
SELECT n.oid::int8, n.nspname::text, n.nspowner::int8, n.nspacl::text,
       n.nspname IN ('pg_catalog', 'information_schema')
FROM pg_catalog.pg_namespace n
WHERE n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast%'
ORDER BY n.nspname
