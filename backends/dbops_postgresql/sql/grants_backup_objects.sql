-- backup: large objects that exist now belong to no schema; pg_dump needs each. Run this again when there are more.
DO $dbops$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid
  LOOP
    EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %I', one.oid, current_setting('dbops.login'));
  END LOOP;
END
$dbops$;
