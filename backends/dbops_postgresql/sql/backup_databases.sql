-- 13+: every database with what is needed to make it again. The size needs CONNECT or pg_read_all_stats: NULL without.
-- Columns that came with later versions are read by name from the row as a whole.
SELECT d.datname::text AS name,
       d.oid::int8 AS oid,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                 OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid) END AS bytes,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       pg_catalog.to_jsonb(d) ->> 'datcollate' AS collate,
       pg_catalog.to_jsonb(d) ->> 'datctype' AS ctype,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale', '') AS locale,
       coalesce(pg_catalog.to_jsonb(d) ->> 'daticurules', '') AS rules,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datcollversion', '') AS collation_version,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       d.datallowconn AS connectable,
       d.datistemplate AS template,
       d.datconnlimit AS connection_limit,
       t.spcname::text AS tablespace,
       coalesce((SELECT s.setconfig FROM pg_catalog.pg_db_role_setting s
                 WHERE s.setdatabase = d.oid AND s.setrole = 0), '{}') AS settings,
       coalesce((SELECT pg_catalog.array_agg(
                          pg_catalog.format('%s|%s|%s',
                            a.privilege_type, a.is_grantable,
                            CASE a.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END)
                          ORDER BY a.grantee, a.privilege_type)
                 FROM pg_catalog.aclexplode(d.datacl) a WHERE a.grantee <> d.datdba), '{}') AS grants,
       d.datacl IS NULL AS default_grants
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname <> 'template0' AND d.datconnlimit <> -2
ORDER BY d.datname
