-- 13+, pg_read_all_stats (pg_monitor) or CONNECT on every database: bytes of data, all databases together.
SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::bigint FROM pg_catalog.pg_database
