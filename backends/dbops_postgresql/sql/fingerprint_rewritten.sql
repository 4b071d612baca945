-- 13+, no privilege: a row when a table got another file since the snapshot. pg_class is read by the snapshot, while the
-- function looks at what is there now.
SELECT 1 FROM pg_catalog.pg_class c
WHERE c.oid = %(oid)s AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)
