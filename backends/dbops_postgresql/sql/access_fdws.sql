-- 13+, no privilege: foreign-data wrappers.
SELECT f.oid::int8, f.fdwname::text, f.fdwowner::int8, f.fdwacl::text
FROM pg_catalog.pg_foreign_data_wrapper f
ORDER BY f.fdwname
