-- 15+: pg_ident.conf as the server reads it. Needs EXECUTE on pg_ident_file_mappings().
SELECT pg_catalog.to_jsonb(r)::text AS rule FROM pg_catalog.pg_ident_file_mappings r ORDER BY line_number
