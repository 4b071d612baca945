-- backup: PostgreSQL 13 has no pg_read_all_data: every schema, table and sequence that exists by itself, and what
-- today's owners make later by default privileges. Run this again when there is a new owner.
DO $dbops$
DECLARE
  one record;
  kind record;
BEGIN
  FOR one IN SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast|temp)' ORDER BY nspname
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', one.nspname, current_setting('dbops.login'));
  END LOOP;
  FOR one IN
    SELECT n.nspname, c.relname, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    ORDER BY n.nspname, c.relname
  LOOP
    EXECUTE format('GRANT SELECT ON %s %I.%I TO %I', one.word, one.nspname, one.relname, current_setting('dbops.login'));
  END LOOP;
  FOR one IN
    SELECT r.rolname FROM pg_catalog.pg_roles r
    WHERE r.oid IN (SELECT c.relowner FROM pg_catalog.pg_class c UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n)
      AND r.rolname NOT LIKE 'pg\_%' ORDER BY r.rolname
  LOOP
    FOR kind IN SELECT * FROM (VALUES ('USAGE', 'SCHEMAS'), ('SELECT', 'TABLES'), ('SELECT', 'SEQUENCES')) AS v (word, name)
    LOOP
      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %s TO %I',
                     one.rolname, kind.word, kind.name, current_setting('dbops.login'));
    END LOOP;
  END LOOP;
END
$dbops$;

-- backup: the roles and their password verifiers, which pg_dumpall --globals-only stores.
GRANT SELECT ON pg_catalog.pg_authid TO :login;
