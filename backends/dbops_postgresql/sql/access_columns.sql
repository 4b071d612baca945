-- 13+, no privilege: columns with rights of their own.
SELECT a.attrelid::int8, a.attname::text, a.attacl::text
FROM pg_catalog.pg_attribute a
WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND a.attnum > 0
ORDER BY a.attrelid, a.attnum
