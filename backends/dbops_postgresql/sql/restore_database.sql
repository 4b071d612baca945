-- 13+, no privilege: whether there is a database of this name.
SELECT 1 FROM pg_catalog.pg_database WHERE datname = %(name)s
