-- The role itself, without a password. It is named once, for the blocks below.
SELECT pg_catalog.set_config('dbops.login', :literal, false);
DO $dbops$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = current_setting('dbops.login')) THEN
    EXECUTE format('CREATE ROLE %I', current_setting('dbops.login'));
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), current_setting('dbops.login'));
END
$dbops$;
ALTER ROLE :login LOGIN;
