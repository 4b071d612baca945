-- 13+, no privilege: every database, and whether this login may connect to it.
SELECT d.datname::text, d.datdba::int8, d.datacl::text, d.datallowconn AND d.datconnlimit <> -2,
       pg_catalog.has_database_privilege(d.oid, 'CONNECT')
FROM pg_catalog.pg_database d
ORDER BY d.datname
