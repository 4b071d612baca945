-- 13+, no privilege: every role.
SELECT rolname::text FROM pg_catalog.pg_roles
