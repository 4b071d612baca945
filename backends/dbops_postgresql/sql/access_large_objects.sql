-- 13+, no privilege: large objects with rights of their own; the others are their owner's alone.
SELECT o.oid::int8, o.oid::text, o.lomowner::int8, o.lomacl::text
FROM pg_catalog.pg_largeobject_metadata o
WHERE o.lomacl IS NOT NULL
ORDER BY o.oid
