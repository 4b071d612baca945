-- 13+, no privilege: default privileges of this database.
SELECT d.defaclrole::int8, coalesce(n.nspname::text, ''), d.defaclobjtype::text, d.defaclacl::text
FROM pg_catalog.pg_default_acl d
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
ORDER BY 1, 2, 3
