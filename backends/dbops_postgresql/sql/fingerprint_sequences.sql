-- 13+, USAGE or SELECT on each: where sequences stand; NULL when never used, or not readable.
SELECT schemaname::text AS schema, sequencename::text AS name, last_value AS value, increment_by AS step, cycle AS cycle
FROM pg_catalog.pg_sequences WHERE schemaname !~ '^pg_' ORDER BY 1, 2
