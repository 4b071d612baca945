-- 13+, no privilege (pg_database_size needs CONNECT or pg_read_all_stats): what this login may do, and what backups need.
-- to_regrole: a predefined role of a newer version is no error here, and reads as null.
SELECT r.rolsuper AS superuser,
       r.rolreplication AS replication,
       r.rolbypassrls AS bypassrls,
       pg_catalog.pg_has_role(pg_catalog.to_regrole('pg_monitor')::oid, 'USAGE') AS monitor,
       pg_catalog.pg_has_role(pg_catalog.to_regrole('pg_read_all_data')::oid, 'USAGE') AS read_all_data,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS verifiers,
       pg_catalog.current_setting('wal_level') AS wal_level,
       pg_catalog.current_setting('max_wal_senders')::int AS wal_senders,
       pg_catalog.current_setting('max_replication_slots')::int AS slots,
       r.rolconnlimit AS connection_limit,
       r.rolvaliduntil AS valid_until,
       pg_catalog.clock_timestamp() AS clock,
       (SELECT pg_catalog.array_agg(d.datname::text ORDER BY d.datname) FROM pg_catalog.pg_database d
         WHERE d.datallowconn AND NOT d.datistemplate AND NOT pg_catalog.has_database_privilege(d.oid, 'CONNECT')) AS closed
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = SESSION_USER
