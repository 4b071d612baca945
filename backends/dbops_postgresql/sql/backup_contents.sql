-- 13+, no privilege, in each database: extensions, and large objects that this login may not read.
SELECT (SELECT coalesce(pg_catalog.array_agg(extname::text || ' ' || extversion ORDER BY extname), '{}')
        FROM pg_catalog.pg_extension) AS extensions,
       (SELECT count(*) FROM pg_catalog.pg_collation
        WHERE collprovider = 'i' AND oid >= 16384) AS icu_collations,
       (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects,
       CASE WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER)
                 OR pg_catalog.current_setting('lo_compat_privileges')::bool THEN 0
            ELSE (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata m
                  WHERE NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
                    AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) a
                                    WHERE a.privilege_type = 'SELECT'
                                      AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))))
       END AS closed_large_objects
