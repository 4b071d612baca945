-- 13+, no privilege: what a role owns that the snapshot does not list. What DROP OWNED takes and nobody misses is left out:
-- user mappings and default privileges. Names of other databases' objects cannot be read from here.
SELECT CASE WHEN d.dbid = here.oid THEN pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE pg_catalog.format('%%s %%s', d.classid::regclass, d.objid) END,
       owning.datname::text
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid AND r.rolname = %(role)s
JOIN pg_catalog.pg_database here ON here.datname = pg_catalog.current_database()
JOIN pg_catalog.pg_database owning ON owning.oid = d.dbid
WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.deptype = 'o'
  AND d.classid NOT IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass,
    'pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_language'::regclass, 'pg_catalog.pg_largeobject'::regclass,
    'pg_catalog.pg_foreign_data_wrapper'::regclass, 'pg_catalog.pg_foreign_server'::regclass,
    'pg_catalog.pg_user_mapping'::regclass, 'pg_catalog.pg_default_acl'::regclass)
ORDER BY owning.datname, d.classid, d.objid
