-- 13+, no privilege: whether the login may create databases.
SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER
