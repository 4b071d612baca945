-- 13+, no privilege: what the login may do, and what the server is named and sorted by.
SELECT (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS replication,
       (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS bypass_row_security,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS passwords,
       (SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1) AS superuser,
       (SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = 10) AS owner,
       pg_catalog.pg_is_in_recovery() AS standby,
       (SELECT count(*) FROM pg_catalog.pg_replication_slots) AS slots,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS senders,
       coalesce((SELECT pg_catalog.pg_collation_actual_version(oid) FROM pg_catalog.pg_collation
                 WHERE collprovider = 'c' AND collcollate NOT IN ('C', 'POSIX') AND collcollate NOT LIKE 'C.%'
                   AND pg_catalog.pg_collation_actual_version(oid) IS NOT NULL LIMIT 1), '') AS libc_version,
       (SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_') AS roles
