-- 15+, no privilege: settings that somebody may change. They belong to the bootstrap superuser.
SELECT p.parname, 10::int8, p.paracl::text FROM pg_catalog.pg_parameter_acl p ORDER BY p.parname
