-- 13+, no privilege: sequences that belong to a table, serial or identity; their owner is always the table's.
SELECT DISTINCT d.objid::int8, d.refobjid::int8
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
ORDER BY 1
