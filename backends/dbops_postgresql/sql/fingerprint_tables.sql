-- 13+, no privilege: every table with content of its own, smallest first; why one cannot be compared (empty: it can); its
-- columns in the order of their names, since a restored child table may have them in another one.
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_relation_size(c.oid) AS bytes,
       CASE
         WHEN e.extname IS NOT NULL THEN 'extension'
         WHEN c.relkind = 'f' THEN 'foreign_table'
         WHEN c.relkind = 'm' THEN 'materialized_view'
         WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'no_permission'
         WHEN pg_catalog.row_security_active(c.oid) THEN 'row_security'
         ELSE ''
       END AS skipped,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname) AS columns,
       c.oid::int8 AS oid
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
     AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 3, 1, 2
