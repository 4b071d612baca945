-- users: CREATEROLE makes and alters roles; it cannot give SUPERUSER, REPLICATION or BYPASSRLS.
ALTER ROLE :login CREATEROLE;

-- users: only the owner of an object, or a member of the owner, can grant on it. So the login becomes a member of
-- every owner that is no superuser, and is then as powerful as all of them together. What belongs to a superuser it
-- cannot manage. From 16 on it also needs ADMIN on each role that it changes. Run this again after adding owners.
DO $dbops$
DECLARE
  one record;
  options text;
BEGIN
  FOR one IN
    SELECT r.rolname, EXISTS (SELECT FROM pg_catalog.pg_shdepend d
                              WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid
                                AND d.deptype = 'o') AS owns
    FROM pg_catalog.pg_roles r
    WHERE NOT r.rolsuper AND r.rolname NOT LIKE 'pg\_%' AND r.rolname <> current_setting('dbops.login')
      AND NOT pg_has_role(r.rolname, current_setting('dbops.login'), 'MEMBER')
    ORDER BY r.rolname
  LOOP
    IF current_setting('server_version_num')::int >= 160000 THEN
      options := format('WITH ADMIN TRUE, INHERIT %s, SET %s', upper(one.owns::text), upper(one.owns::text));
    ELSIF one.owns THEN
      options := '';
    ELSE
      CONTINUE;
    END IF;
    EXECUTE format('GRANT %I TO %I %s', one.rolname, current_setting('dbops.login'), options);
  END LOOP;
END
$dbops$;
