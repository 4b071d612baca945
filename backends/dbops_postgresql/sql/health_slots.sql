-- Replication slots and what they keep. PostgreSQL 13+ (conflicting: 16+, inactive_since, invalidation_reason: 17+);
-- no privilege. Columns that a version lacks read as NULL through jsonb.
SELECT s.slot_name AS slot, s.slot_type AS kind, s.database, s.active, s.temporary, s.wal_status,
       s.restart_lsn IS NOT NULL AS reserves,
       pg_wal_lsn_diff(
         CASE WHEN pg_is_in_recovery() THEN COALESCE(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
              ELSE pg_current_wal_lsn() END, s.restart_lsn)::bigint AS retained_bytes,
       EXTRACT(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8 AS inactive_s,
       COALESCE((to_jsonb(s) ->> 'conflicting')::boolean, false) AS conflicting,
       to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_mb
FROM pg_replication_slots s
ORDER BY s.slot_name
