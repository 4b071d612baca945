-- 13+, no privilege: tablespaces other than the two that every server has.
SELECT oid::int8 AS oid, spcname::text AS name, pg_catalog.pg_tablespace_location(oid) AS location,
       pg_catalog.pg_get_userbyid(spcowner)::text AS owner
FROM pg_catalog.pg_tablespace WHERE oid >= 16384 ORDER BY oid
