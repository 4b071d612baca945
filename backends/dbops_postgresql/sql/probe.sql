-- 10+, no privilege: what this server is. The system identifier needs EXECUTE on pg_control_system(), which PUBLIC has.
SELECT pg_catalog.current_setting('server_version_num')::int AS number,
       pg_catalog.current_setting('server_version') AS text,
       pg_catalog.version() AS banner,
       pg_catalog.pg_is_in_recovery() AS standby,
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS incarnation,
       SESSION_USER::text AS login,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS superuser,
       pg_catalog.current_database()::text AS database,
       (SELECT count(*) > 0 FROM pg_catalog.pg_roles WHERE rolname = 'rds_superuser') AS rds,
       (SELECT count(*) > 0 FROM pg_catalog.pg_roles WHERE rolname = 'cloudsqlsuperuser') AS cloudsql,
       (SELECT count(*) > 0 FROM pg_catalog.pg_roles WHERE rolname = 'azure_pg_admin') AS azure
