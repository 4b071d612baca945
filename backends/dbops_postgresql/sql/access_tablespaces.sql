-- 13+, no privilege: tablespaces.
SELECT t.spcname::text, t.spcowner::int8, t.spcacl::text FROM pg_catalog.pg_tablespace t ORDER BY t.spcname
