-- 13+, no privilege: what a database holds, counted.
SELECT count(*) FILTER (WHERE c.relkind IN ('r', 'p', 'm')) AS tables, count(*) FILTER (WHERE c.relkind IN ('i', 'I')) AS indexes
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
