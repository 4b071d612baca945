-- Indexes that are not used because they were never finished. PostgreSQL 13+; pg_monitor, else a build by another role
-- cannot be told from a failed one. Sizes are by pages of the catalog: nothing is locked.
WITH building AS MATERIALIZED (
  SELECT p.index_relid FROM pg_stat_progress_create_index p JOIN pg_database d ON d.oid = p.datid
  WHERE d.datname = current_database()
)
SELECT n.nspname AS schema, c.relname AS name, t.relname AS table, c.relkind = 'I' AS partitioned, i.indisunique AS is_unique,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AS backs_constraint,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
       EXISTS (SELECT FROM building b WHERE b.index_relid = c.oid) AS building,
       (SELECT count(*) FROM building b WHERE b.index_relid IS NULL) AS hidden_builds
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY n.nspname, c.relname
