-- health: sessions, statistics, settings and the archiver's backlog of the whole server; no data of any table.
GRANT pg_monitor TO :login;

-- health: the position of every sequence. SELECT reads it; it cannot advance it.
DO $dbops$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND c.relpersistence <> 't' ORDER BY n.nspname, c.relname
  LOOP
    EXECUTE format('GRANT SELECT ON SEQUENCE %I.%I TO %I', one.nspname, one.relname, current_setting('dbops.login'));
  END LOOP;
  -- Sequences made later, by everybody who owns a relation or a schema now.
  FOR one IN
    SELECT r.rolname FROM pg_catalog.pg_roles r
    WHERE r.oid IN (SELECT c.relowner FROM pg_catalog.pg_class c UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n)
      AND r.rolname NOT LIKE 'pg\_%' ORDER BY r.rolname
  LOOP
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON SEQUENCES TO %I',
                   one.rolname, current_setting('dbops.login'));
  END LOOP;
END
$dbops$;
