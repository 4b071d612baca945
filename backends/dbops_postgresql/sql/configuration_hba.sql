-- 13+: pg_hba.conf as the server reads it. Needs EXECUTE on pg_hba_file_rules().
SELECT pg_catalog.to_jsonb(r)::text AS rule FROM pg_catalog.pg_hba_file_rules r ORDER BY line_number
