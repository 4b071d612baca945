-- 13+, no privilege: foreign servers.
SELECT s.oid::int8, s.srvname::text, s.srvowner::int8, s.srvacl::text
FROM pg_catalog.pg_foreign_server s
ORDER BY s.srvname
