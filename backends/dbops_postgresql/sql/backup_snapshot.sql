-- 10+, also on a standby, no privilege: the running transaction's snapshot by name, and when it was taken.
SELECT pg_catalog.pg_export_snapshot() AS snapshot,
       pg_catalog.to_char(pg_catalog.transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS taken_at
