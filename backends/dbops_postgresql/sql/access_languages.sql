-- 13+, no privilege: procedural languages.
SELECT l.oid::int8, l.lanname::text, l.lanowner::int8, l.lanacl::text, l.lanpltrusted
FROM pg_catalog.pg_language l
WHERE l.lanispl
ORDER BY l.lanname
