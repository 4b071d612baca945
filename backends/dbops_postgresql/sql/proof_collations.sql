-- 15+, no privilege: collations of this database whose library has another version here than the one recorded.
SELECT 'database ' || d.datname AS name, d.datcollversion AS recorded, pg_catalog.pg_database_collation_actual_version(d.oid) AS found
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
  AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
UNION ALL
SELECT 'collation ' || c.collname, c.collversion, pg_catalog.pg_collation_actual_version(c.oid)
FROM pg_catalog.pg_collation c
WHERE c.collversion <> pg_catalog.pg_collation_actual_version(c.oid) AND c.oid >= 16384
